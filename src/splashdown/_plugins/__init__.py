"""Finds, checks and offers plugins."""
