"""Reads JSON documents and STAC-GeoParquet: files, the web, stores. What the documents mean is decided elsewhere."""
