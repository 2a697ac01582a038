"""Lands many sources, each in a folder of its own: lists of jobs, and what is watched."""
