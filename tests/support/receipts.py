"""Receipts as a whole, for tests: the engine only ever writes them piece by piece."""

import json

from splashdown._receipts import document as receipt


def whole(result_set, landed, kept=None):
    """The document that would be saved."""
    return json.loads(encoded(receipt.receipt_document(result_set, landed, kept)))


def encoded(document):
    """Its bytes."""
    return b"".join(receipt.pieces(document))
