"""Names of files in a target: from layouts and templates, every collision settled before the first byte. Pure."""
