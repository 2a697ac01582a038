"""The parts of the STAC resolver and of STAC output: reading, walking, describing, searching.

Nothing here is a plugin; :mod:`splashdown.builtins.stac` is the face.
"""
