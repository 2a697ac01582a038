"""Which assets a user means: one by its key, several by filters, and why none is left."""
