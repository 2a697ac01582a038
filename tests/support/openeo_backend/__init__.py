"""A real openEO back-end for the tests: ``openeo-driver`` under gunicorn, in an environment of its own."""

from openeo_backend.launch import Backend, JobIds, running_backend

__all__ = ["Backend", "JobIds", "running_backend"]
