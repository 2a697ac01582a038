"""The built-in plugins, one module each. They use the public API alone, as any plugin does."""

from collections.abc import Mapping

#: The built-in plugins, each with what it offers: names, or schemes of URLs, by the noun of a hook. Each is a module of
#: this package and is called as that module. Only those are imported that may answer what a session asks for.
OFFERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "archive": {"sinks": ("zip", "tar")},
    "collection": {"actions": ("download_collection",)},
    "delete_source": {"actions": ("delete_source",)},
    "download": {"actions": ("download_files", "download_file", "retry")},
    "file": {"transports": ("file", "")},
    "filters": {
        "filters": (
            "keys",
            "exclude",
            "regex",
            "types",
            "roles",
            "items",
            "collections",
            "datetime",
            "bbox",
            "geometry",
            "min_size",
            "max_size",
            "bands",
            "cql2",
            "latest_per",
            "one_per",
        )
    },
    "http": {"transports": ("http", "https")},
    "load_json": {"actions": ("load_json",)},
    "loaders": {"loaders": ("json", "text", "picture", "bytes")},
    "local": {"sinks": ("", "file")},
    "log": {"listeners": ("log",), "run_plan": ("wrapper",)},
    "memory": {"sinks": ("memory",)},
    "netrc": {"signers": ("netrc",)},
    "openeo": {"resolvers": ("openeo",)},
    "processes": {"executors": ("processes",)},
    "progress": {"listeners": ("progress",)},
    "publish": {"actions": ("publish",)},
    "several": {"resolvers": ("several",)},
    "stac": {"resolvers": ("stac",)},
    "sync": {"actions": ("sync",)},
    "verify": {"actions": ("verify",)},
}
NAMES: tuple[str, ...] = tuple(OFFERS)
#: The actions among them that are commands of their own.
COMMANDS: tuple[str, ...] = ("publish",)
