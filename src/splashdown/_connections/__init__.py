"""The parts of :mod:`splashdown.connections`: how an answer is read, and which connections are kept."""
