"""Documents as public catalogues write them, made small: each lists its assets, with hrefs, sizes, sums and names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

import splashdown

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
SHA = "1220" + "ab" * 32
SHA512 = "1340" + "cd" * 64
JP2, PNG, JPEG, JSON, XML, HTML = (
    "image/jp2",
    "image/png",
    "image/jpeg",
    "application/json",
    "application/xml",
    "text/html",
)


def item(name: str, assets: dict[str, Any], *, version: str = "1.0.0", **fields: Any) -> dict[str, Any]:
    links = fields.pop("links", [])
    properties = {"datetime": "2024-05-01T10:00:00Z", **fields.pop("properties", {})}
    return {
        "type": "Feature",
        "stac_version": version,
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [[[5, 50], [6, 50], [6, 51], [5, 51], [5, 50]]]},
        "bbox": [5, 50, 6, 51],
        "properties": properties,
        "links": links,
        "assets": assets,
        **fields,
    }


def collection(name: str, assets: dict[str, Any], *, version: str = "1.0.0", **fields: Any) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": version,
        "id": name,
        "description": "d",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]},
        },
        "links": [],
        "assets": assets,
        **fields,
    }


@dataclass(frozen=True, kw_only=True)
class Case:
    """``listed`` has the href of each asset by its label; ``sizes`` and ``sums`` those that are given."""

    url: str
    document: dict[str, Any]
    listed: dict[str, str]
    names: tuple[str, ...]
    sizes: dict[str, int] = field(default_factory=dict)
    sums: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()  #: labels of assets that are folders
    options: dict[str, Any] = field(default_factory=dict)
    collection: str | None = None


S2 = "https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/31/U/GS/2024/5/S2B_31UGS_20240501_0_L2A"
BLOB = "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/31/U/GS/2024/05/01/S2B.SAFE/GRANULE/IMG_DATA/R10m/T31UGS_B04_10m.tif"
PC = "https://planetarycomputer.microsoft.com/api"
ZIPPER = "https://download.dataspace.copernicus.eu/odata/v1/Products(0c1d-2e)/$value"
EODATA = "s3://eodata/Sentinel-2/MSI/L2A/2024/05/01/S2B_MSIL2A_20240501.SAFE"
LPDAAC = "https://data.lpdaac.earthdatacloud.nasa.gov/lp-prod-protected/HLSL30.020/HLS.L30.T31UGS.2024122"
USGS = (
    "https://landsatlook.usgs.gov/data/collection02/level-2/standard/oli-tirs/2024/198/024/LC09_L2SP_198024/LC09_B4.TIF"
)
DLR = "https://download.geoservice.dlr.de/S2_L2A_MAJA/files/31/U/GS/SENTINEL2B_20240501.zip"
CAPELLA = "https://capella-open-data.s3.amazonaws.com/data/2024/5/1/CAPELLA_C11_SP_GEO_HH/CAPELLA_C11_SP_GEO_HH.tif"
SWISS = "https://data.geo.admin.ch/ch.swisstopo.swissimage-dop10/swissimage-dop10_2022_2600-1199"

CASES = {
    "earth-search-v1": Case(
        url="https://earth-search.aws.element84.com/v1/collections/sentinel-2-l2a/items/S2B_31UGS_20240501_0_L2A",
        document=item(
            "S2B_31UGS_20240501_0_L2A",
            {
                "red": {
                    "href": f"{S2}/B04.tif",
                    "type": COG,
                    "roles": ["data", "reflectance"],
                    "file:size": 200_000_000,
                    "file:checksum": SHA,
                    "raster:bands": [{"nodata": 0, "scale": 0.0001, "offset": -0.1}],
                },
                "thumbnail": {"href": f"{S2}/thumbnail.jpg", "type": JPEG, "roles": ["thumbnail"]},
                "red-jp2": {"href": "s3://sentinel-s2-l2a/tiles/31/U/GS/2024/5/1/0/R10m/B04.jp2", "type": JP2},
            },
            collection="sentinel-2-l2a",
            links=[{"rel": "thumbnail", "href": "https://earth-search.aws.element84.com/v1/thumbnail"}],
        ),
        listed={
            "S2B_31UGS_20240501_0_L2A/red": f"{S2}/B04.tif",
            "S2B_31UGS_20240501_0_L2A/thumbnail": f"{S2}/thumbnail.jpg",
            "S2B_31UGS_20240501_0_L2A/red-jp2": "s3://sentinel-s2-l2a/tiles/31/U/GS/2024/5/1/0/R10m/B04.jp2",
        },
        names=("red-B04.tif", "thumbnail-thumbnail.jpg", "red-jp2-B04.jp2"),
        sizes={"red": 200_000_000},
        sums={"red": SHA},
        collection="sentinel-2-l2a",
    ),
    "earth-search-v0": Case(
        url="https://earth-search.aws.element84.com/v0/search",
        document={
            "type": "FeatureCollection",
            "context": {"page": 1, "limit": 1, "matched": 1, "returned": 1},
            "features": [
                item("S2A_31UGS", {"B04": {"href": f"{S2}/B04.tif", "type": COG, "title": "Band 4"}}, version="1.0.0-beta.2")
            ],
        },
        listed={"S2A_31UGS/B04": f"{S2}/B04.tif"},
        names=("B04-B04.tif",),
    ),
    "earth-search-sentinel-1": Case(
        url="https://earth-search.aws.element84.com/v1/collections/sentinel-1-grd/items/S1A",
        document=item("S1A", {"vv": {"href": "s3://sentinel-s1-l1c/GRD/2024/5/1/IW/DV/S1A/measurement/iw-vv.tiff", "type": COG}}),
        listed={"S1A/vv": "s3://sentinel-s1-l1c/GRD/2024/5/1/IW/DV/S1A/measurement/iw-vv.tiff"},
        names=("vv-iw-vv.tiff",),
    ),
    "planetary-computer-sentinel-2": Case(
        url=f"{PC}/stac/v1/collections/sentinel-2-l2a/items/S2B",
        document=item(
            "S2B",
            {
                "B04": {"href": BLOB, "type": COG, "gsd": 10.0},
                "tilejson": {"href": f"{PC}/data/v1/item/tilejson.json?collection=sentinel-2-l2a&item=S2B", "type": JSON},
                "rendered_preview": {"href": f"{PC}/data/v1/item/preview.png?collection=sentinel-2-l2a&item=S2B", "type": PNG},
            },
        ),
        listed={
            "S2B/B04": BLOB,
            "S2B/tilejson": f"{PC}/data/v1/item/tilejson.json?collection=sentinel-2-l2a&item=S2B",
            "S2B/rendered_preview": f"{PC}/data/v1/item/preview.png?collection=sentinel-2-l2a&item=S2B",
        },
        names=("B04-T31UGS_B04_10m.tif", "tilejson-tilejson.json", "rendered_preview-preview.png"),
    ),
    "planetary-computer-zarr": Case(
        url=f"{PC}/stac/v1/collections/daymet-daily-hi",
        document=collection(
            "daymet-daily-hi",
            {
                "thumbnail": {"href": "https://ai4edatasetspublicassets.blob.core.windows.net/assets/daymet.png", "type": PNG},
                "zarr-https": {"href": "https://daymeteuwest.blob.core.windows.net/daymet-zarr/hi.zarr", "type": "application/vnd+zarr"},
                "zarr-abfs": {
                    "href": "abfs://daymet-zarr/daily/hi.zarr",
                    "type": "application/vnd+zarr",
                    "xarray:open_kwargs": {"consolidated": True},
                },
            },
        ),
        listed={
            "thumbnail": "https://ai4edatasetspublicassets.blob.core.windows.net/assets/daymet.png",
            "zarr-https": "https://daymeteuwest.blob.core.windows.net/daymet-zarr/hi.zarr",
            "zarr-abfs": "abfs://daymet-zarr/daily/hi.zarr",
        },
        names=("thumbnail-daymet.png",),
        folders=("zarr-https", "zarr-abfs"),
        collection="daymet-daily-hi",
    ),
    "cdse": Case(
        url="https://stac.dataspace.copernicus.eu/v1/collections/sentinel-2-l2a/items/S2B_MSIL2A_20240501",
        document=item(
            "S2B_MSIL2A_20240501",
            {
                "B04_10m": {
                    "href": f"{EODATA}/GRANULE/L2A/IMG_DATA/R10m/T31UGS_B04_10m.jp2",
                    "type": JP2,
                    "auth:refs": ["s3"],
                    "storage:refs": ["cdse-s3", "creodias-s3"],
                    "file:size": 94_000_000,
                    "file:checksum": "d50110" + "0e" * 16,
                    "alternate": {"https": {"href": f"{ZIPPER[:-7]}/Nodes(B04)/$value", "auth:refs": ["oidc"]}},
                },
                "Product": {"href": ZIPPER, "type": "application/zip", "auth:refs": ["oidc"], "file:size": 900_000_000},
                "safe_folder": {"href": EODATA, "roles": ["data"], "auth:refs": ["s3"]},
            },
            version="1.1.0",
            properties={"auth:schemes": {"s3": {"type": "s3"}, "oidc": {"type": "openIdConnect"}}},
        ),
        listed={
            "S2B_MSIL2A_20240501/B04_10m": f"{EODATA}/GRANULE/L2A/IMG_DATA/R10m/T31UGS_B04_10m.jp2",
            "S2B_MSIL2A_20240501/Product": ZIPPER,
            "S2B_MSIL2A_20240501/safe_folder": EODATA,
        },
        names=("B04_10m-T31UGS_B04_10m.jp2", "Product.zip"),
        sizes={"B04_10m": 94_000_000, "Product": 900_000_000},
        sums={"B04_10m": "d50110" + "0e" * 16},
        folders=("S2B_MSIL2A_20240501/safe_folder",),
    ),
    "cdse-by-https": Case(
        url="https://stac.dataspace.copernicus.eu/v1/collections/sentinel-2-l2a/items/S2B",
        document=item(
            "S2B",
            {"B04": {"href": f"{EODATA}/B04.jp2", "type": JP2, "alternate": {"https": {"href": f"{ZIPPER[:-7]}/Nodes(B04)/$value"}}}},
        ),
        options={"alternate": "https"},
        listed={"S2B/B04": f"{ZIPPER[:-7]}/Nodes(B04)/$value"},
        names=("B04.jp2",),
    ),
    "cmr-hls": Case(
        url="https://cmr.earthdata.nasa.gov/stac/LPCLOUD/collections/HLSL30_2.0/items/HLS.L30.T31UGS.2024122",
        document=item(
            "HLS.L30.T31UGS.2024122",
            {
                "B04": {"href": f"{LPDAAC}/HLS.B04.tif", "title": "Download HLS.B04.tif"},
                "s3_B04": {"href": "s3://lp-prod-protected/HLSL30.020/HLS.B04.tif", "title": "direct access"},
                "browse": {"href": f"{LPDAAC}/HLS.jpg".replace("protected", "public"), "type": JPEG},
                "metadata": {"href": "https://cmr.earthdata.nasa.gov/search/concepts/G29-LPCLOUD.xml", "type": XML},
            },
        ),
        listed={
            "HLS.L30.T31UGS.2024122/B04": f"{LPDAAC}/HLS.B04.tif",
            "HLS.L30.T31UGS.2024122/s3_B04": "s3://lp-prod-protected/HLSL30.020/HLS.B04.tif",
            "HLS.L30.T31UGS.2024122/browse": f"{LPDAAC}/HLS.jpg".replace("protected", "public"),
            "HLS.L30.T31UGS.2024122/metadata": "https://cmr.earthdata.nasa.gov/search/concepts/G29-LPCLOUD.xml",
        },
        names=("B04-HLS.B04.tif", "s3_B04-HLS.B04.tif", "browse-HLS.jpg", "metadata-G29-LPCLOUD.xml"),
    ),
    "cmr-asset-called-like-its-item": Case(
        url="https://cmr.earthdata.nasa.gov/stac/GES_DISC/collections/GPM/items/3B-HHR.nc4",
        document=item("3B-HHR.nc4", {"3B-HHR.nc4": {"href": "https://data.gesdisc.earthdata.nasa.gov/data/3B-HHR.nc4"}}),
        listed={"3B-HHR.nc4": "https://data.gesdisc.earthdata.nasa.gov/data/3B-HHR.nc4"},
        names=("3B-HHR.nc4",),
    ),
    "cmr-page": Case(
        url="https://cmr.earthdata.nasa.gov/stac/LPCLOUD/search?limit=1",
        document={
            "type": "FeatureCollection",
            "stac_version": "1.0.0",
            "numberMatched": 1,
            "numberReturned": 1,
            "features": [item("G1", {"opendap": {"href": "https://opendap.earthdata.nasa.gov/G1.dap.nc4?dap4.ce=/b"}})],
            "links": [{"rel": "self", "href": "https://cmr.earthdata.nasa.gov/stac/LPCLOUD/search?limit=1"}],
        },
        listed={"G1/opendap": "https://opendap.earthdata.nasa.gov/G1.dap.nc4?dap4.ce=/b"},
        names=("opendap-G1.dap.nc4",),
    ),
    "usgs-landsat": Case(
        url="https://landsatlook.usgs.gov/stac-server/collections/landsat-c2l2-sr/items/LC09_SR",
        document=item(
            "LC09_SR",
            {
                "index": {"href": "https://landsatlook.usgs.gov/stac-browser/collection02/LC09", "type": HTML, "title": "HTML index"},
                "red": {
                    "href": USGS,
                    "type": "image/vnd.stac.geotiff; cloud-optimized=true",
                    "file:checksum": SHA512.upper(),
                    "alternate": {"s3": {"storage:platform": "AWS", "storage:requester_pays": True, "href": "s3://usgs-landsat/LC09_B4.TIF"}},
                },
            },
        ),
        listed={"LC09_SR/index": "https://landsatlook.usgs.gov/stac-browser/collection02/LC09", "LC09_SR/red": USGS},
        names=("index-LC09", "red-LC09_B4.TIF"),
        sums={"red": SHA512},
    ),
    "usgs-landsat-from-s3": Case(
        url="https://landsatlook.usgs.gov/stac-server/collections/landsat-c2l2-sr/items/LC09_SR",
        document=item("LC09_SR", {"red": {"href": USGS, "alternate": {"s3": {"href": "s3://usgs-landsat/LC09_B4.TIF"}}}}),
        options={"alternate": "s3"},
        listed={"LC09_SR/red": "s3://usgs-landsat/LC09_B4.TIF"},
        names=("red-LC09_B4.TIF",),
    ),
    "dlr-members-of-one-archive": Case(
        url="https://geoservice.dlr.de/eoc/ogc/stac/v1/collections/S2_L2A_MAJA/items/SENTINEL2B",
        document=item(
            "SENTINEL2B",
            {
                "thumbnail": {"href": f"{DLR}#QKL_ALL.jpg", "type": JPEG, "roles": ["thumbnail"]},
                "data": {"href": DLR, "type": "application/x-zip", "roles": ["data"]},
                "metadata": {"href": f"{DLR}#MTD_ALL.xml", "type": XML, "roles": ["metadata"]},
            },
        ),
        listed={"SENTINEL2B/thumbnail": f"{DLR}#QKL_ALL.jpg", "SENTINEL2B/data": DLR, "SENTINEL2B/metadata": f"{DLR}#MTD_ALL.xml"},
        names=("thumbnail-SENTINEL2B_20240501.zip", "data-SENTINEL2B_20240501.zip", "metadata-SENTINEL2B_20240501.zip"),
    ),
    "dlr-enmap": Case(
        url="https://geoservice.dlr.de/eoc/ogc/stac/v1/collections/ENMAP_HSI_L2A/items/ENMAP01",
        document=item(
            "ENMAP01",
            {
                "image": {"href": "https://download.geoservice.dlr.de/ENMAP/files/L2A/ENMAP01-SPECTRAL_IMAGE_COG.TIF", "type": COG, "auth:refs": ["dlr"]},
                "vnir": {"href": "https://download.geoservice.dlr.de/ENMAP/files/L2A/ENMAP01-QL_VNIR_COG.TIF", "type": COG},
            },
        ),
        listed={
            "ENMAP01/image": "https://download.geoservice.dlr.de/ENMAP/files/L2A/ENMAP01-SPECTRAL_IMAGE_COG.TIF",
            "ENMAP01/vnir": "https://download.geoservice.dlr.de/ENMAP/files/L2A/ENMAP01-QL_VNIR_COG.TIF",
        },
        names=("image-ENMAP01-SPECTRAL_IMAGE_COG.TIF", "vnir-ENMAP01-QL_VNIR_COG.TIF"),
    ),
    "linz-relative-hrefs": Case(
        url="https://nz-imagery.s3-ap-southeast-2.amazonaws.com/auckland/auckland_2024_0.075m/rgb/2193/BQ31.json",
        document=item(
            "BQ31",
            {"visual": {"href": "./BQ31.tiff", "type": COG, "file:checksum": SHA, "file:size": 1234}},
            links=[
                {"rel": "self", "href": "./BQ31.json", "type": "application/geo+json"},
                {"rel": "collection", "href": "./collection.json", "type": JSON},
            ],
            collection="01FP22",
        ),
        listed={"BQ31/visual": "https://nz-imagery.s3-ap-southeast-2.amazonaws.com/auckland/auckland_2024_0.075m/rgb/2193/BQ31.tiff"},
        names=("visual-BQ31.tiff",),
        sizes={"visual": 1234},
        sums={"visual": SHA},
        collection="01FP22",
    ),
    "dea": Case(
        url="https://explorer.dea.ga.gov.au/stac/collections/ga_s2am_ard_3/items/0f1e",
        document=item(
            "0f1e",
            {
                "nbart_red": {"href": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/nbart_band04.tif", "type": COG, "roles": ["data"]},
                "checksum:sha1": {"href": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/ga_s2am.sha1", "type": "text/plain"},
                "metadata:processor": {"href": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/ga_s2am.proc-info.yaml", "type": "text/yaml"},
            },
            properties={"datetime": None, "start_datetime": "2024-05-01T00:00:00Z", "end_datetime": "2024-05-01T00:00:05Z"},
        ),
        listed={
            "0f1e/nbart_red": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/nbart_band04.tif",
            "0f1e/checksum:sha1": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/ga_s2am.sha1",
            "0f1e/metadata:processor": "s3://dea-public-data/baseline/ga_s2am_ard_3/55/ga_s2am.proc-info.yaml",
        },
        names=("nbart_red-nbart_band04.tif", "checksumsha1-ga_s2am.sha1", "metadataprocessor-ga_s2am.proc-info.yaml"),
    ),
    "capella": Case(
        url="https://capella-open-data.s3.us-west-2.amazonaws.com/stac/capella-open-data-by-product-type/geo/C11/C11.json",
        document=item(
            "CAPELLA_C11_SP_GEO_HH",
            {
                "HH": {"href": CAPELLA, "type": COG, "sar:polarizations": ["HH"], "raster:bands": [{"unit": "dn"}]},
                "metadata": {"href": CAPELLA.replace(".tif", "_extended.json"), "type": JSON},
                "thumbnail": {"href": CAPELLA.replace("CAPELLA_C11_SP_GEO_HH.tif", "thumb.png"), "type": PNG},
            },
            links=[{"rel": "root", "href": "../../../catalog.json"}, {"rel": "parent", "href": "../catalog.json"}],
        ),
        listed={
            "CAPELLA_C11_SP_GEO_HH/HH": CAPELLA,
            "CAPELLA_C11_SP_GEO_HH/metadata": CAPELLA.replace(".tif", "_extended.json"),
            "CAPELLA_C11_SP_GEO_HH/thumbnail": CAPELLA.replace("CAPELLA_C11_SP_GEO_HH.tif", "thumb.png"),
        },
        names=("HH-CAPELLA_C11_SP_GEO_HH.tif", "metadata-CAPELLA_C11_SP_GEO_HH_extended.json", "thumbnail-thumb.png"),
    ),
    "umbra": Case(
        url="https://s3.us-west-2.amazonaws.com/umbra-open-data-catalog/stac/2024/2024-05/2024-05-01/a1/a1.json",
        document=item(
            "a1",
            {
                "UMBRA-05_GEC.tif": {"href": "https://umbra-open-data-catalog.s3.amazonaws.com/UMBRA-05_GEC.tif", "type": COG},
                "UMBRA-05_CPHD.cphd": {"href": "https://umbra-open-data-catalog.s3.amazonaws.com/UMBRA-05_CPHD.cphd", "type": "application/octet-stream"},
            },
        ),
        listed={
            "a1/UMBRA-05_GEC.tif": "https://umbra-open-data-catalog.s3.amazonaws.com/UMBRA-05_GEC.tif",
            "a1/UMBRA-05_CPHD.cphd": "https://umbra-open-data-catalog.s3.amazonaws.com/UMBRA-05_CPHD.cphd",
        },
        names=("UMBRA-05_GEC.tif", "UMBRA-05_CPHD.cphd"),
    ),
    "maxar-open-data": Case(
        url="https://maxar-opendata.s3.amazonaws.com/events/Flood/ard/31/0312/2024-05-01/1040.json",
        document=item(
            "31/0312/1040",
            {
                "visual": {"href": "./1040-visual.tif", "type": COG, "eo:bands": [{"name": "BAND_R"}]},
                "data-mask": {"href": "./1040-data-mask.gpkg", "type": "application/geopackage+sqlite3"},
            },
        ),
        listed={
            "31/0312/1040/visual": "https://maxar-opendata.s3.amazonaws.com/events/Flood/ard/31/0312/2024-05-01/1040-visual.tif",
            "31/0312/1040/data-mask": "https://maxar-opendata.s3.amazonaws.com/events/Flood/ard/31/0312/2024-05-01/1040-data-mask.gpkg",
        },
        names=("visual-1040-visual.tif", "data-mask-1040-data-mask.gpkg"),
    ),
    "dynamical": Case(
        url="https://dynamical.org/stac/noaa-gfs-forecast/collection.json",
        document=collection(
            "noaa-gfs-forecast",
            {
                "icechunk": {"href": "s3://dynamical-noaa-gfs/noaa-gfs-forecast/v0.2.7.icechunk/", "type": "application/vnd.icechunk", "roles": ["data"]},
                "zarr": {"href": "https://data.dynamical.org/noaa/gfs/forecast/latest.zarr", "type": "application/vnd.zarr; version=3", "roles": ["data"]},
                "example": {"href": "https://github.com/dynamical-org/notebooks/gfs.ipynb", "type": "application/x-ipynb+json"},
            },
        ),
        listed={
            "icechunk": "s3://dynamical-noaa-gfs/noaa-gfs-forecast/v0.2.7.icechunk/",
            "zarr": "https://data.dynamical.org/noaa/gfs/forecast/latest.zarr",
            "example": "https://github.com/dynamical-org/notebooks/gfs.ipynb",
        },
        names=("example-gfs.ipynb",),
        folders=("icechunk", "zarr"),
        collection="noaa-gfs-forecast",
    ),
    "swisstopo": Case(
        url="https://data.geo.admin.ch/api/stac/v0.9/collections/ch.swisstopo.swissimage-dop10/items/swissimage-dop10_2022_2600-1199",
        document=item(
            "swissimage-dop10_2022_2600-1199",
            {
                "swissimage-dop10_2022_2600-1199_0.1_2056.tif": {
                    "href": f"{SWISS}/swissimage-dop10_2022_2600-1199_0.1_2056.tif",
                    "type": COG,
                    "checksum:multihash": SHA.upper(),
                    "proj:epsg": 2056,
                    "eo:gsd": 0.1,
                }
            },
            version="0.9.0",
        ),
        listed={
            "swissimage-dop10_2022_2600-1199/swissimage-dop10_2022_2600-1199_0.1_2056.tif": f"{SWISS}/swissimage-dop10_2022_2600-1199_0.1_2056.tif"
        },
        names=("swissimage-dop10_2022_2600-1199_0.1_2056.tif",),
        sums={"swissimage-dop10_2022_2600-1199_0.1_2056.tif": SHA},
    ),
    "brazil-data-cube": Case(
        url="https://data.inpe.br/bdc/stac/v1/collections/S2-16D-2/items/S2-16D_V2_010010_20240501",
        document=item(
            "S2-16D_V2_010010_20240501",
            {"B04": {"href": "https://data.inpe.br/bdc/data/s2-16d/v2/010/010/2024/5/1/S2-16D_B04.tif", "type": COG, "bdc:size": 7, "checksum:multihash": SHA}},
        ),
        listed={"S2-16D_V2_010010_20240501/B04": "https://data.inpe.br/bdc/data/s2-16d/v2/010/010/2024/5/1/S2-16D_B04.tif"},
        names=("B04-S2-16D_B04.tif",),
        sums={"B04": SHA},
    ),
    "nasa-veda": Case(
        url="https://openveda.cloud/api/stac/collections/no2-monthly/items/OMI_202405",
        document=item(
            "OMI_202405",
            {
                "cog_default": {"href": "s3://veda-data-store/no2-monthly/OMI_202405.tif", "type": COG, "roles": ["data", "layer"]},
                "rendered_preview": {"href": "https://openveda.cloud/api/raster/collections/no2-monthly/items/OMI_202405/preview.png?assets=cog_default", "type": PNG},
            },
        ),
        listed={
            "OMI_202405/cog_default": "s3://veda-data-store/no2-monthly/OMI_202405.tif",
            "OMI_202405/rendered_preview": "https://openveda.cloud/api/raster/collections/no2-monthly/items/OMI_202405/preview.png?assets=cog_default",
        },
        names=("cog_default-OMI_202405.tif", "rendered_preview-preview.png"),
    ),
    "esgf-ceda": Case(
        url="https://api.stac.esgf.ceda.ac.uk/collections/CMIP6/items/tas_day",
        document=item(
            "tas_day",
            {
                "data0001": {
                    "href": "https://esgf.ceda.ac.uk/thredds/fileServer/esg_cmip6/tas_day_20150101.nc",
                    "type": "application/netcdf",
                    "file:size": 11,
                    "file:checksum": SHA,
                    "alternate": {"llnl": {"href": "https://esgf-data1.llnl.gov/thredds/fileServer/css03/tas_day_20150101.nc"}},
                },
                "reference_file": {"href": "https://esgf.ceda.ac.uk/kerchunk/tas_day.json", "type": "application/zstd"},
            },
        ),
        listed={
            "tas_day/data0001": "https://esgf.ceda.ac.uk/thredds/fileServer/esg_cmip6/tas_day_20150101.nc",
            "tas_day/reference_file": "https://esgf.ceda.ac.uk/kerchunk/tas_day.json",
        },
        names=("data0001-tas_day_20150101.nc", "reference_file-tas_day.json"),
        sizes={"data0001": 11},
        sums={"data0001": SHA},
    ),
    "planet-disasters": Case(
        url="https://www.planet.com/data/stac/disasters/hurricane/s/s.json",
        document=item(
            "s",
            {
                "visual": {"href": "https://storage.googleapis.com/pdd-stac/disasters/s.tif", "type": "image/vnd.stac.geotiff; cloud-optimized=true"},
                "full-jpg": {"href": "s_full.jpg", "type": JPEG},
            },
            version="0.6.2",
        ),
        listed={"s/visual": "https://storage.googleapis.com/pdd-stac/disasters/s.tif", "s/full-jpg": "https://www.planet.com/data/stac/disasters/hurricane/s/s_full.jpg"},
        names=("visual-s.tif", "full-jpg-s_full.jpg"),
    ),
    "overture-geoparquet": Case(
        url="https://stac.overturemaps.org/2024-05-01/buildings/building/00001/00001.json",
        document=item(
            "00001",
            {
                "aws": {"href": "https://overturemaps-us-west-2.s3.amazonaws.com/release/part-00001.zstd.parquet", "type": "application/vnd.apache.parquet", "alternate": {"s3": {"href": "s3://overturemaps-us-west-2/release/part-00001.zstd.parquet"}}},
            },
            version="1.1.0",
        ),
        listed={"00001/aws": "https://overturemaps-us-west-2.s3.amazonaws.com/release/part-00001.zstd.parquet"},
        names=("aws-part-00001.zstd.parquet",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_document_of_a_public_catalogue_lists_rightly(case):
    with splashdown.Session(config=False) as session:
        results = session.open(case.document, base=case.url, **case.options)
    assets = [one.asset for one in results]
    assert {one.label: one.href for one in assets} == case.listed
    assert results.result_set.warnings == ()
    assert {one.key: one.size for one in assets if one.size is not None} == case.sizes
    assert {one.key: one.checksum for one in assets if one.checksum} == case.sums
    assert all(one.start is not None for one in assets)
    assert {one.collection for one in assets} == {case.collection}
    plan = results.plan("out")
    assert tuple(one.name for one in plan.transfers) == case.names
    assert tuple(one.asset.label for one in plan.skipped) == case.folders


def test_there_are_as_many_catalogues_as_promised():
    assert len(CASES) >= 25
