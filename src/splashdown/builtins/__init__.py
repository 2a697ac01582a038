"""The built-in plugins, one module each. They use the public API alone, as any plugin does."""

from collections.abc import Mapping

#: The built-in plugins, and what each offers: the nouns of its hooks. Each is a module of this package and is called as
#: that module. What a session asks for decides which of them are imported.
OFFERS: Mapping[str, tuple[str, ...]] = {
    "collection": ("actions",),
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
    "progress": ("listeners",),
    "several": ("resolvers",),
    "stac": ("resolvers",),
    "sync": ("actions",),
    "verify": ("actions",),
}
NAMES: tuple[str, ...] = tuple(OFFERS)
