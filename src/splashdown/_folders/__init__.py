"""Folders of this machine in which no name is reached through a link, whatever others have put there."""
