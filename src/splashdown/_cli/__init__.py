"""The command line: thin over the actions."""
