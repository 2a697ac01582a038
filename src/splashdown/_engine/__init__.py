"""Moves the bytes: plans, threads, retries, checksums, resume. Knows protocols, not plugins."""
