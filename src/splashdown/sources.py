"""Forms of sources that more than one resolver has to tell apart, judged without I/O."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# openEO API, /jobs/{job_id} and /jobs/{job_id}/results, plus what back-ends append for signed canonical links.
_JOB_PATH = re.compile(r"/jobs/[^/]+(/results(/.*)?)?/?$")


def is_url(source: object) -> bool:
    """Whether the source is an http(s) URL."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def is_job_url(source: object) -> bool:
    """Whether the source is the URL of an openEO job, of its results, or a signed link to them."""
    if not is_url(source):
        return False
    path = urlsplit(str(source)).path
    return bool(_JOB_PATH.search(path)) and not path.lower().endswith((".json", ".geojson"))
