"""Assets that are made of other assets: the part of one that lies in an area, a file inside an archive."""
