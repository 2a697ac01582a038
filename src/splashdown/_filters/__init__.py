"""The parts of the built-in filters: what a value means, and what it says about one asset.

:mod:`splashdown.builtins.filters` gives them their names.
"""
