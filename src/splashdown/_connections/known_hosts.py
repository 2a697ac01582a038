"""Profiles that come with the package: rules that an archive has published, each with the page that says so.

They hold no origins and no credentials: where a credential goes is the user's word alone. A profile of the user's own
replaces any value. docs/reference/configuration.md lists the archives of which no such rule was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from splashdown._connections.hosts import HostProfile

#: Copernicus Data Space Ecosystem: "Number of concurrent connections limit", 4 for general users of S3, OData and STAC.
_CDSE: Final = "https://documentation.dataspace.copernicus.eu/Quotas.html"
#: NASA's Common Metadata Repository takes up to 180 seconds for an answer; a document has two read timeouts to begin.
_CMR: Final = "https://cmr.earthdata.nasa.gov/search/site/docs/search/api.html"

KNOWN: Final[Mapping[str, tuple[HostProfile, str]]] = {
    "catalogue.dataspace.copernicus.eu": (HostProfile(jobs=4), _CDSE),
    "download.dataspace.copernicus.eu": (HostProfile(jobs=4), _CDSE),
    "zipper.dataspace.copernicus.eu": (HostProfile(jobs=4), _CDSE),
    "eodata.dataspace.copernicus.eu": (HostProfile(jobs=4), _CDSE),
    "cmr.earthdata.nasa.gov": (HostProfile(read_timeout=90.0), _CMR),
}
SHIPPED: Final[Mapping[str, HostProfile]] = {host: profile for host, (profile, _) in KNOWN.items()}
