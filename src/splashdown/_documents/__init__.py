"""Reads JSON documents and STAC-GeoParquet: files, the web, stores. It leaves their meaning to others."""
