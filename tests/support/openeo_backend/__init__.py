"""A real openEO back-end for the tests: ``openeo-driver`` under gunicorn, in an environment of its own."""

from openeo_backend.launch import Backend, JobIds, landed, running_backend

__all__ = ["Backend", "JobIds", "landed", "running_backend"]
