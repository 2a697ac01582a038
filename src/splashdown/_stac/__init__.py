"""The grammar of STAC: versions, assets, hrefs, and the marks of saved documents. Pure."""
