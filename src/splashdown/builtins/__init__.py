"""The built-in plugins, one module each. They use the public API alone, as any plugin does."""

#: The built-in plugins: each is a module of this package and is called as that module. Sorted, one a line.
NAMES: tuple[str, ...] = (
    "collection",
    "download",
    "file",
    "filters",
    "http",
    "load_json",
    "loaders",
    "local",
    "log",
    "memory",
    "netrc",
    "openeo",
    "progress",
    "several",
    "stac",
    "sync",
    "verify",
)
