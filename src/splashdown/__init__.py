"""Splashdown lands the results of openEO batch jobs, and any STAC assets, where they are needed."""

from splashdown._version import __version__

__all__ = ["__version__"]
