"""A small back-end in this process, with one finished job: what ``splashdown demo`` and the tests download from.

The pixels are made up; band names, layout and metadata are those of a real openEO result.
"""

from splashdown._demo.service import DemoService, demo_service

__all__ = ["DemoService", "demo_service"]
