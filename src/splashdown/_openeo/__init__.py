"""The parts of the openEO resolver: reading documents, errors, credentials, walking results, watching jobs.

Nothing here is a plugin; :mod:`splashdown.builtins.openeo` and :mod:`splashdown.backend` are the faces.
"""
