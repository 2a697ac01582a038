"""Documents, assets, transfers and outcomes by the hundred thousand: compressed, and created on access.

Code that takes a ``Sequence`` or a ``Mapping`` does not depend on this package.
"""
