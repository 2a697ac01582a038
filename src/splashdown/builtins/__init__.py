"""The built-in plugins, one module each. They use the public API alone, as any plugin does."""

from collections.abc import Mapping

#: The built-in plugins, each with the nouns of its hooks. Each is a module of this package and is called as
#: that module. Only those are imported that may answer what a session asks for.
OFFERS: Mapping[str, tuple[str, ...]] = {
    "archive": ("sinks",),
    "collection": ("actions",),
    "delete_source": ("actions",),
    "download": ("actions",),
    "file": ("transports",),
    "filters": ("filters",),
    "http": ("transports",),
    "load_json": ("actions",),
    "loaders": ("loaders",),
    "local": ("sinks",),
    "log": ("listeners", "run_plan"),
    "memory": ("sinks",),
    "netrc": ("signers",),
    "openeo": ("resolvers",),
    "processes": ("executors",),
    "progress": ("listeners",),
    "publish": ("actions",),
    "several": ("resolvers",),
    "stac": ("resolvers",),
    "sync": ("actions",),
    "verify": ("actions",),
}
NAMES: tuple[str, ...] = tuple(OFFERS)
