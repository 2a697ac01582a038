"""Displays values: HTML for notebooks, words for people, strict JSON for programs."""
