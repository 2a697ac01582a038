"""The parts of the ``http`` transport: addresses, headers, error answers, connections and bodies.

The transport itself is :mod:`splashdown.builtins.http`.
"""
