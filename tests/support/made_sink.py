"""A sink for tests of plugins: it remembers what it was made with."""

from splashdown.testing import MemorySink


class MadeSink(MemorySink):
    def __init__(self, target, options):
        super().__init__()
        self.target, self.options = target, options
