"""Orders over HTTP: placing, looking, cancelling, and the admins' hand on the status."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission

from orders import metrics
from orders.apps import keys, orders
from orders.domain import Line, Order, Status
from orders.labels import LABELS, language_for
from orders.repositories import Position
from orders.serializers import (
    AuditResultSerializer,
    ChangedOrderSerializer,
    EntriesSerializer,
    LabelsSerializer,
    MessageSerializer,
    NewOrderSerializer,
    OrderIdsSerializer,
    OrderSerializer,
    OrdersQuerySerializer,
    ServiceOrderSerializer,
    StatusSerializer,
    entry_data,
    order_data,
    order_json,
)
from orders.services import Purchase
from store.answers import Response
from store.api import APIView
from store.errors import Invalid
from store.idempotency import fingerprint, idempotency_key
from store.paging import BadCursor, decode_cursor, encode_cursor
from store.permissions import AllowAny, IsAdmin, IsPerson, IsService
from store.request import Request


class IsReading(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method in SAFE_METHODS


class OrderList(APIView):
    """Your orders; an admin sees everybody's."""

    permission_classes = [IsPerson | (IsReading & IsAdmin)]
    inputs = {"POST": NewOrderSerializer}

    @extend_schema(
        summary="Orders, newest first",
        description='The next page is in the Link header, rel="next".',
        parameters=[OrdersQuerySerializer],
        responses={200: OrderSerializer(many=True)},
    )
    async def get(self, request: Request) -> Response:
        query = self.query(request, OrdersQuerySerializer)
        scope = _scope(request, query)
        found, has_more = await orders().page(
            request.user,
            limit=query["limit"],
            user_id=query.get("user_id"),
            status=query.get("status"),
            before=_position(scope, query.get("cursor")),
        )
        headers = {"Link": _next_page(request, scope, found)} if has_more else None
        return Response(order_json.each(found), headers=headers)

    @extend_schema(
        summary="Place an order",
        request=NewOrderSerializer,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses={200: OrderSerializer, 201: OrderSerializer},
    )
    async def post(self, request: Request) -> Response:
        if request.user.service is not None:
            self.inputs = {"POST": ServiceOrderSerializer}  # type: ignore[misc]  # of this view alone
        purchase = _purchase(self.body(request), cast(str, request.user.username))
        key = idempotency_key(request)

        async def place() -> Response:
            placed = await orders().place(purchase, key=key)
            return Response(order_data(placed.order), status=201 if placed.is_new else 200)

        # A service's id for the order is a key already, and outlives ours.
        if key is None or purchase.order_id is not None:
            return await place()
        scope = (purchase.user_id, "POST", "/orders/", key)
        return await keys().once(scope, fingerprint(request.data), place)


class OrderDetail(APIView):
    """One order."""

    permission_classes = [IsPerson | IsAdmin]

    @extend_schema(summary="An order", responses={200: OrderSerializer})
    async def get(self, request: Request, order_id: UUID) -> Response:
        return Response(order_json(await orders().order_for(request.user, order_id)))


class OrderStatus(APIView):
    """An admin's hand on the clock."""

    permission_classes = [IsAdmin]
    inputs = {"PUT": StatusSerializer}

    @extend_schema(
        summary="Set the next status, or CANCELLED",
        description="In the body or in the query. The clock of the new status starts anew.",
        request=StatusSerializer,
        parameters=[StatusSerializer],
        responses={200: ChangedOrderSerializer},
    )
    async def put(self, request: Request, order_id: UUID) -> Response:
        body, query = self.body(request), self.query(request, StatusSerializer)
        status = _one_status(body.get("status"), query.get("status"))
        order = await orders().set_status(order_id, status)
        return _changed(order, f"The order is {order.status} now.")


class OrderCancellation(APIView):
    """The end of an order before its delivery."""

    permission_classes = [IsPerson | IsAdmin]

    @extend_schema(
        summary="Cancel an order; its stock goes back",
        description="The owner may until it is being shipped, an admin until it is delivered.",
        request=None,
        responses={200: ChangedOrderSerializer},
    )
    async def put(self, request: Request, order_id: UUID) -> Response:
        self.no_body(request)
        order = await orders().cancel(order_id, request.user)
        return _changed(order, "The order is cancelled.")


class StatusLabels(APIView):
    """What the statuses are called."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="The names of the statuses",
        parameters=[OpenApiParameter("Accept-Language", str, OpenApiParameter.HEADER)],
        responses={200: LabelsSerializer},
    )
    async def get(self, request: Request) -> Response:
        language = language_for(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return Response(dict(LABELS[language]), headers=headers)


class Entries(APIView):
    """What is known of some orders: for the audit."""

    permission_classes = [IsService]
    inputs = {"POST": OrderIdsSerializer}

    @extend_schema(
        summary="What is known of some orders; nothing is changed",
        request=OrderIdsSerializer,
        responses={200: EntriesSerializer},
    )
    async def post(self, request: Request) -> Response:
        found, since = await orders().entries(self.body(request)["ids"])
        items = [entry_data(entry) for entry in found]
        return Response({"items": items, "remembers_since": since})


class AuditResult(APIView):
    """What the audit found, for the metrics: of the four services this one knows the others."""

    permission_classes = [IsService]
    inputs = {"PUT": AuditResultSerializer}

    @extend_schema(
        summary="What the last audit found, by check",
        request=AuditResultSerializer,
        responses={200: MessageSerializer},
    )
    async def put(self, request: Request) -> Response:
        checks = self.body(request)["checks"]
        metrics.audited({each["check"]: each["differences"] for each in checks})
        return Response({"message": "Noted."})


def _purchase(data: dict[str, Any], user_id: str) -> Purchase:
    return Purchase(
        user_id=user_id,
        lines=tuple(Line(**item) for item in data["items"]),
        total=data["total"],
        order_id=data.get("id"),
        valid_until=data.get("valid_until"),
    )


def _one_status(body: Status | None, query: Status | None) -> Status:
    """Raises Invalid when neither says it, or each something else."""
    said = {status for status in (body, query) if status is not None}
    if len(said) != 1:
        problem = "Body and query differ." if said else "This field is required."
        raise Invalid(errors={"status": [problem]})
    return said.pop()


def _changed(order: Order, message: str) -> Response:
    return Response({"message": message, "order": order_data(order)})


def _scope(request: Request, query: dict[str, Any]) -> str:
    """A cursor is good for the list it came from: whose view, which filters."""
    viewer = "admin" if request.user.is_admin else f"user:{request.user.username}"
    return f"orders|{viewer}|{query.get('user_id', '')}|{query.get('status', '')}"


def _position(scope: str, cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        created_at, order_id = decode_cursor(scope, cursor)
        return datetime.fromisoformat(created_at), UUID(order_id)
    except ValueError:
        raise BadCursor from None


def _next_page(request: Request, scope: str, found: Sequence[Order]) -> str:
    """A link that is right behind any prefix: it says nothing of the path."""
    last = found[-1]
    query = request.query_params.copy()
    query["cursor"] = encode_cursor(scope, [last.created_at.isoformat(), str(last.id)])
    return f'<?{query.urlencode()}>; rel="next"'
