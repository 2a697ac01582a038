"""Requests at little cost over the pools of urllib3, for plugins whose protocol is HTTP with bodies both ways.

    pool = urllib3.connection_from_url("https://store.example")
    make_lean(pool)
    limits = urllib3.Timeout(connect=20, read=60)
    answer = send(pool, "/bucket/key", {"Host": "store.example"}, limits, method="PUT", body=data)

Retries, redirects and what a status means are left to the caller, who has to read the body of the answer and give its
connection back (``drain_conn``, ``release_conn``).
"""

from __future__ import annotations

from splashdown._http.connection import Answer, make_lean, send

__all__ = ["Answer", "make_lean", "send"]
