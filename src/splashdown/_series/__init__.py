"""Documents, assets, transfers and outcomes by the hundred thousand: compressed, and made when they are looked at.

A package of its own, and private: whoever takes a ``Sequence`` or a ``Mapping`` need not know of it.
"""
