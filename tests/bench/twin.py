"""The twin: the same reads and the same add-to-cart, by FastAPI, as fast as it can be had.

What FastAPI offers for comfort and a request pays for is left out where an expert would leave it
out: answers are bytes, the caller is found by a plain call, the middleware is plain ASGI, parsed
query strings and verified tokens are remembered. It does the same work as the shop: the same
checks of the token, the same numbers for Prometheus, the same headers, the same JSON.

``BENCH_TWIN`` names a file with what it holds, in the JSON of ``tests.bench.state``.
"""

import os
import re
import time
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import aiohttp
import jwt
import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field, TypeAdapter
from starlette.datastructures import QueryParams

from tests.bench.twin_metrics import Observed
from tests.bench.twin_shelves import Shelf, cursor_of

SECRET_KEY = os.environ["SECRET_KEY"]
CATALOG_URL = os.environ.get("BACKEND_URL", "")
CALL_SECONDS = aiohttp.ClientTimeout(total=1.0)
REMEMBERED_TOKENS = 20_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)

state: dict[str, Any] = orjson.loads(Path(os.environ["BENCH_TWIN"]).read_bytes())
products: dict[UUID, dict[str, Any]] = {
    UUID(each["product_id"]): each for each in state["products"]
}
product_bytes = {product_id: orjson.dumps(each) for product_id, each in products.items()}
shelf = Shelf(state["products"])
carts: dict[str, dict[UUID, dict[str, Any]]] = {}
for line in state["cart"]:
    carts.setdefault(state["user"], {})[UUID(line["product_id"])] = line
orders: dict[str, list[dict[str, Any]]] = {state["user"]: state["orders"]}
users: dict[str, dict[str, Any]] = {state["user"]: state["me"]}


class NewItem(BaseModel):
    product_id: UUID
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1


class Asked(BaseModel):
    category: str
    sort_by: Literal["name", "price"] = "name"
    sort_order: Literal["asc", "desc"] = "asc"
    limit: Annotated[int, Field(ge=1, le=1000)] = 20
    skip: Annotated[int, Field(ge=0)] = 0


_new_item: TypeAdapter[NewItem] = TypeAdapter(NewItem)
_callers: dict[str, tuple[str, int]] = {}


def caller(request: Request) -> str:
    """Whose token it is; a verified one is remembered until it expires."""
    headers = request.headers
    authorization = headers.get("authorization")
    if authorization is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    known = _callers.get(authorization)
    if known is None or known[1] <= time.time():
        known = _verified(authorization)
    if "x-user-id" in headers:
        raise HTTPException(401)
    return known[0]


def _verified(authorization: str) -> tuple[str, int]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise HTTPException(401)
    try:
        claims = jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    while len(_callers) >= REMEMBERED_TOKENS:
        del _callers[next(iter(_callers))]
    known = _callers[authorization] = claims["sub"], claims["exp"]
    return known


@asynccontextmanager
async def lifespan(app: FastAPI) -> Any:
    connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=30)
    async with aiohttp.ClientSession(connector=connector, timeout=CALL_SECONDS) as session:
        app.state.http = session
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
app.add_middleware(Observed)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


@app.get("/ready")
async def ready() -> Response:
    return _json(b'{"status":"ok"}')


@app.get("/products/")
async def page(request: Request) -> Response:
    caller(request)
    asked = _asked(request.scope["query_string"])
    rows, total = shelf.page(
        asked.category, asked.sort_by, asked.sort_order, asked.skip, asked.limit
    )
    has_next = asked.skip + len(rows) < total
    frame = {
        "total": total,
        "page": asked.skip // asked.limit + 1,
        "pages": max(1, -(-total // asked.limit)),
        "has_next": has_next,
        "has_prev": asked.skip > 0,
        "next_cursor": _cursor(asked, rows) if has_next else None,
    }
    items = b",".join([row.encoded for row in rows])
    return _json(b'{"items":[%b],%b' % (items, orjson.dumps(frame)[1:]))


@app.get("/products/{product_id}")
async def product(request: Request, product_id: UUID) -> Response:
    caller(request)
    known = product_bytes.get(product_id)
    if known is None:
        raise HTTPException(404)
    return _json(known)


@app.get("/cart/")
async def cart(request: Request) -> Response:
    lines = carts.get(caller(request), {})
    items = [_item(line) for line in lines.values()]
    total = round(sum(item["total_price"] for item in items), 2)
    return _json(orjson.dumps({"items": items, "total": total}))


@app.post("/cart/items")
async def add(request: Request) -> Response:
    user = caller(request)
    item = _new_item.validate_json(await request.body())
    found = await _product(request.app.state.http, item.product_id, request)
    lines = carts.setdefault(user, {})
    line = lines.get(item.product_id)
    quantity = item.quantity + (line["quantity"] if line else 0)
    if quantity > found["stock_count"]:
        raise HTTPException(409)
    lines[item.product_id] = line = {
        "id": line["id"] if line else str(uuid4()),
        "product_id": str(item.product_id),
        "name": found["name"],
        "price": found["price"],
        "quantity": quantity,
    }
    return _json(orjson.dumps(_item(line)))


@app.get("/orders/")
async def order_list(request: Request) -> Response:
    limit = _limit(request.scope["query_string"])
    return _json(orjson.dumps(orders.get(caller(request), [])[:limit]))


@app.get("/users/me")
async def me(request: Request) -> Response:
    user = users.get(caller(request))
    if user is None:
        raise HTTPException(401)
    return _json(orjson.dumps(user))


def _item(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": line["id"],
        "product_id": line["product_id"],
        "name": line["name"],
        "price": line["price"],
        "quantity": line["quantity"],
        "total_price": round(line["price"] * line["quantity"], 2),
    }


async def _product(http: aiohttp.ClientSession, product_id: UUID, request: Request) -> Any:
    # The caller's own token goes along: a service token, renewed now and then, costs the same.
    headers = {"Authorization": request.headers["authorization"], "Accept": "application/json"}
    async with http.get(f"{CATALOG_URL}/products/{product_id}", headers=headers) as answer:
        if answer.status != 200:
            raise HTTPException(answer.status)
        return orjson.loads(await answer.read())


def _cursor(asked: Asked, rows: list[Any]) -> str:
    scope = ["products", asked.category, asked.sort_by, asked.sort_order]
    return cursor_of(SECRET_KEY, scope, rows[-1], asked.sort_by, asked.skip + len(rows))


@lru_cache(maxsize=1024)
def _asked(query_string: bytes) -> Asked:
    return Asked.model_validate(dict(QueryParams(query_string)))


@lru_cache(maxsize=1024)
def _limit(query_string: bytes) -> int:
    return TypeAdapter(Annotated[int, Field(ge=1, le=1000)]).validate_python(
        QueryParams(query_string).get("limit", "100")
    )
