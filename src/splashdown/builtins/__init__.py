"""The built-in plugins, one module each. They use the public API alone, as any plugin does."""
