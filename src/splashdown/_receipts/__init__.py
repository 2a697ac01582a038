"""What a target holds: the STAC documents that are saved beside the files, how they are read again, and checks."""
