"""The grammar of STAC: versions, assets, hrefs, and the fields that Splashdown adds to saved documents. Pure."""
