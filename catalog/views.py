"""The catalog over HTTP: products, categories, reservations for the services, health."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission

from catalog.answers import books_data, page_data, product_json, reservation_data, reservations_data
from catalog.apps import catalog, reservations
from catalog.domain import Product, ProductChanges, State
from catalog.listings import Listing, books_place, listing, reservation_listing
from catalog.serializers import (
    MOVES,
    BooksPageSerializer,
    BooksQuerySerializer,
    CategoryQuerySerializer,
    CategorySerializer,
    HealthSerializer,
    ImportResultSerializer,
    ImportSerializer,
    MovesSerializer,
    NewProductSerializer,
    NewReservationSerializer,
    ProductChangesSerializer,
    ProductPageSerializer,
    ProductQuerySerializer,
    ProductSerializer,
    ReservationPageSerializer,
    ReservationQuerySerializer,
    ReservationSerializer,
    SettledListSerializer,
    SettledSerializer,
)
from store.answers import RETRY_AFTER_SECONDS, Response
from store.api import APIView
from store.errors import Forbidden
from store.permissions import AllowAny, IsAdmin, IsCaller, IsPerson, IsService
from store.request import Request


class IsReading(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method in SAFE_METHODS


class CategoryRequired(Forbidden):
    code = "category_required"
    detail = "Choose a category; only admins see all products at once."


class ProductList(APIView):
    """All products, page by page; users look at one category at a time."""

    permission_classes = [(IsReading & IsPerson) | IsAdmin]
    inputs = {"POST": NewProductSerializer}

    @extend_schema(
        summary="A page of products",
        parameters=[ProductQuerySerializer],
        responses={200: ProductPageSerializer},
    )
    async def get(self, request: Request) -> Response:
        asked = listing(request.META["QUERY_STRING"])
        if asked.where.category is None and not request.user.is_admin:
            raise CategoryRequired
        return await _page(asked)

    @extend_schema(
        summary="Add a product", request=NewProductSerializer, responses={201: ProductSerializer}
    )
    async def post(self, request: Request) -> Response:
        product = await catalog().create(**self.body(request))
        return Response(product_json(product), status=201)


class CategoryProducts(APIView):
    """The products of one category, page by page."""

    permission_classes = [IsPerson | IsAdmin]

    @extend_schema(
        summary="A page of a category's products",
        parameters=[CategoryQuerySerializer],
        responses={200: ProductPageSerializer},
    )
    async def get(self, request: Request, category: str) -> Response:
        return await _page(listing(request.META["QUERY_STRING"], category))


class CategoryList(APIView):
    """The categories that have products."""

    permission_classes = [AllowAny]

    @extend_schema(summary="All categories", responses={200: CategorySerializer(many=True)})
    async def get(self, request: Request) -> Response:
        categories = await catalog().categories()
        return Response(
            [
                {"name": category.name, "product_count": category.product_count}
                for category in categories
            ]
        )


class ProductDetail(APIView):
    """One product."""

    permission_classes = [(IsReading & IsCaller) | IsAdmin]
    inputs = {"PUT": ProductChangesSerializer}

    @extend_schema(summary="A product", responses={200: ProductSerializer})
    async def get(self, request: Request, product_id: UUID) -> Response:
        return Response(product_json(await catalog().product(product_id)))

    @extend_schema(
        summary="Change a product",
        description="Fields left out stay as they are; null clears description or manufacturer.",
        request=ProductChangesSerializer,
        responses={200: ProductSerializer},
    )
    async def put(self, request: Request, product_id: UUID) -> Response:
        changes = ProductChanges(**self.body(request))  # type: ignore[typeddict-item]
        return Response(product_json(await catalog().update(product_id, changes)))

    @extend_schema(summary="Delete a product", responses={204: None})
    async def delete(self, request: Request, product_id: UUID) -> Response:
        await catalog().delete(product_id)
        return Response(status=204)


class ProductImport(APIView):
    """Products that come with their ids: those that are there already stay as they are."""

    permission_classes = [IsService]
    inputs = {"POST": ImportSerializer}

    @extend_schema(
        summary="Add products that are missing",
        request=ImportSerializer,
        responses={200: ImportResultSerializer},
    )
    async def post(self, request: Request) -> Response:
        products = [Product(**product) for product in self.body(request)["products"]]
        added = await catalog().add_missing(products)
        return Response({"created": added[True], "existing": added[False]})


class ReservationList(APIView):
    """Reservations by state, oldest first: for whoever looks for forgotten ones."""

    permission_classes = [IsService]

    @extend_schema(
        summary="A page of reservations",
        parameters=[ReservationQuerySerializer],
        responses={200: ReservationPageSerializer},
    )
    async def get(self, request: Request) -> Response:
        asked = reservation_listing(self.query(request, ReservationQuerySerializer))
        found = await reservations().older_than(
            asked.seconds, state=asked.state, limit=asked.limit + 1, after=asked.after
        )
        return Response(reservations_data(found, asked))


class StockBooks(APIView):
    """The books of all products, deleted ones included: for the audit."""

    permission_classes = [IsService]

    @extend_schema(
        summary="A page of the stock's books",
        parameters=[BooksQuerySerializer],
        responses={200: BooksPageSerializer},
    )
    async def get(self, request: Request) -> Response:
        query = self.query(request, BooksQuerySerializer)
        found, last = await reservations().books(
            limit=query["limit"], after=books_place(query.get("cursor"))
        )
        return Response(books_data(found, last, kept=settings.RESERVATION_RETENTION))


class ReservationDetail(APIView):
    """The stock set aside for one order."""

    permission_classes = [IsService]
    inputs = {"PUT": NewReservationSerializer}

    @extend_schema(
        summary="Hold stock for an order",
        description="All lines or none. Repeatable: the same order and items, the same answer.",
        request=NewReservationSerializer,
        responses={200: ReservationSerializer},
    )
    async def put(self, request: Request, order_id: UUID) -> Response:
        body = self.body(request)
        items = [(item["product_id"], item["quantity"]) for item in body["items"]]
        reservation = await reservations().reserve(order_id, body["user_id"], items)
        return Response(reservation_data(reservation))

    @extend_schema(summary="Release what is held", responses={200: SettledSerializer})
    async def delete(self, request: Request, order_id: UUID) -> Response:
        return await _settled(order_id, State.RELEASED)


class ReservationSale(APIView):
    """Held stock becomes sold."""

    permission_classes = [IsService]

    @extend_schema(summary="Mark as sold", request=None, responses={200: SettledSerializer})
    async def post(self, request: Request, order_id: UUID) -> Response:
        self.no_body(request)
        return await _settled(order_id, State.SOLD)


class ReservationReturn(APIView):
    """Held or sold stock goes back."""

    permission_classes = [IsService]

    @extend_schema(summary="Take stock back", request=None, responses={200: SettledSerializer})
    async def post(self, request: Request, order_id: UUID) -> Response:
        self.no_body(request)
        return await _settled(order_id, State.RETURNED)


class ReservationMoves(APIView):
    """Reservations of many orders, each moved for itself."""

    permission_classes = [IsService]
    inputs = {"POST": MovesSerializer}

    @extend_schema(
        summary="Mark as sold, take back or release, for many orders at once",
        request=MovesSerializer,
        responses={200: SettledListSerializer},
    )
    async def post(self, request: Request) -> Response:
        moves = [(each["order_id"], MOVES[each["move"]]) for each in self.body(request)["moves"]]
        states = await reservations().settle(moves)
        pairs = zip(moves, states, strict=True)
        items = [{"order_id": order_id, "state": state} for (order_id, _), state in pairs]
        return Response({"items": items})


class SystemHealth(APIView):
    """Whether the catalog answers, and its store."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="Health of the catalog and its store",
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    async def get(self, request: Request) -> Response:
        if await catalog().is_store_up():
            return Response(_health("ok", "ok"))
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return Response(_health("error", "unavailable"), status=503, headers=headers)


async def _page(asked: Listing) -> Response:
    page = await catalog().page(
        asked.where, asked.sort, limit=asked.limit, skip=asked.offset, after=asked.after
    )
    return Response(page_data(page, asked))


async def _settled(order_id: UUID, state: State) -> Response:
    [settled] = await reservations().settle([(order_id, state)])
    return Response({"order_id": order_id, "state": settled})


def _health(status: str, store: str) -> dict[str, str]:
    return {"status": status, "service": "catalog", "database_connection": store}
