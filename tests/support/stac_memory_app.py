"""An app of ``stac-fastapi`` with its transaction extension, whose items are in memory. Runs in an environment of its own.

Routes, models, validation and error answers are those of ``stac-fastapi``; only the storage is made here. Whatever
changes something needs the token of the environment, and ``/requests`` lists what was asked.
"""

# ruff: noqa: ANN, ARG002, D, PLR0904

import os

import attr
from fastapi.responses import JSONResponse
from stac_fastapi.api.app import StacApi
from stac_fastapi.extensions import TransactionExtension
from stac_fastapi.extensions.transaction import BaseTransactionsClient
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.errors import ConflictError, NotFoundError

COLLECTIONS: dict[str, dict] = {}
ITEMS: dict[tuple[str, str], dict] = {}
REQUESTS: list[tuple[str, str]] = []


def found(store, key):
    if key not in store:
        raise NotFoundError(f"{key} does not exist")
    return store[key]


def dumped(model):
    return model.model_dump(mode="json", exclude_none=True, by_alias=True)


@attr.s
class Core(BaseCoreClient):
    def get_item(self, item_id, collection_id, **kwargs):
        return found(ITEMS, (collection_id, item_id))

    def get_collection(self, collection_id, **kwargs):
        return found(COLLECTIONS, collection_id)

    def all_collections(self, **kwargs):
        return {"collections": list(COLLECTIONS.values()), "links": []}

    def item_collection(self, collection_id, **kwargs):
        items = [one for (owner, _), one in ITEMS.items() if owner == collection_id]
        return {"type": "FeatureCollection", "features": items, "links": []}

    def get_search(self, **kwargs):
        return {"type": "FeatureCollection", "features": list(ITEMS.values()), "links": []}

    def post_search(self, search_request, **kwargs):
        return self.get_search()


class Transactions(BaseTransactionsClient):
    def create_item(self, collection_id, item, **kwargs):
        found(COLLECTIONS, collection_id)
        if (collection_id, item.id) in ITEMS:
            raise ConflictError(f"{item.id} exists")
        ITEMS[collection_id, item.id] = dumped(item)
        return ITEMS[collection_id, item.id]

    def update_item(self, collection_id, item_id, item, **kwargs):
        found(ITEMS, (collection_id, item_id))
        ITEMS[collection_id, item_id] = dumped(item)
        return ITEMS[collection_id, item_id]

    def create_collection(self, collection, **kwargs):
        if collection.id in COLLECTIONS:
            raise ConflictError(f"{collection.id} exists")
        COLLECTIONS[collection.id] = dumped(collection)
        return COLLECTIONS[collection.id]

    def update_collection(self, collection_id, collection, **kwargs):
        raise NotImplementedError

    def patch_item(self, *args, **kwargs):
        raise NotImplementedError

    patch_collection = delete_item = delete_collection = patch_item


settings = ApiSettings(stac_fastapi_version="1")
api = StacApi(
    settings=settings,
    client=Core(),
    extensions=[TransactionExtension(client=Transactions(), settings=settings)],
)
app = api.app


@app.middleware("http")
async def judge(request, call_next):
    path = request.url.path
    if path == "/requests":
        asked = REQUESTS.copy()
        REQUESTS.clear()
        return JSONResponse(asked)
    REQUESTS.append((request.method, path))
    sent, wanted = request.headers.get("authorization"), f"Bearer {os.environ['STAC_TOKEN']}"
    if request.method != "GET" and sent != wanted:
        return JSONResponse({"detail": f"{sent} may not do that"}, 401)  # repeats what it got, as careless servers do
    return await call_next(request)
