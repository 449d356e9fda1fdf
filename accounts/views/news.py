"""News of orders: in from the orders service, out as a list and as a live stream."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from accounts import serializers
from accounts.apps import accounts
from accounts.domain import OrderStatus, OrderUpdate
from accounts.serializers import notification_json
from accounts.services import Updates
from accounts.views.me import current_user
from store import tracing, wire
from store.answers import Response
from store.api import APIView
from store.permissions import IsPerson, IsService
from store.request import Request

EVENT_STREAM = "text/event-stream"
# nginx holds answers back until a buffer is full, unless it is told not to.
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class MyNotifications(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="The last 100 news of your orders, newest first",
        responses={200: serializers.NotificationSerializer(many=True)},
    )
    async def get(self, request: Request) -> Response:
        user = await current_user(request)
        updates = await accounts().news.latest(user.username)
        return Response([notification_json(update) for update in updates])


class NotificationStream(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="The same live: Server-Sent Events",
        description="Events `order-status`; `Last-Event-ID` resumes within the last 100.",
        parameters=[OpenApiParameter("Last-Event-ID", str, "header")],
        responses={(200, EVENT_STREAM): OpenApiResponse(OpenApiTypes.STR)},
    )
    async def get(self, request: Request) -> HttpResponseBase | Response:
        user = await current_user(request)
        if request.method == "HEAD":
            return Response()
        last_event = request.META.get("HTTP_LAST_EVENT_ID", "")
        updates = accounts().news.follow(user.username, last_event=last_event)
        return StreamingHttpResponse(
            _events(updates), content_type=EVENT_STREAM, headers=STREAM_HEADERS
        )


class FromOrders(IsService):
    """The orders service, and no other."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.user.service == "orders")


class OrderStatusNews(APIView):
    permission_classes = [FromOrders]
    inputs = {"POST": serializers.OrderUpdateSerializer}

    @extend_schema(
        summary="News of an order (the orders service only)",
        responses={200: serializers.MessageSerializer},
    )
    async def post(self, request: Request) -> Response:
        update = _update(self.body(request))
        tracing.tracer.about(update.order_id)
        [is_new] = await accounts().news.hear([update])
        return Response({"message": "Noted." if is_new else "Known already."})


class OrderStatusesNews(APIView):
    """News of many orders at once: all are noted, or none."""

    permission_classes = [FromOrders]
    inputs = {"POST": serializers.OrderUpdatesSerializer}

    @extend_schema(
        summary="News of many orders (the orders service only)",
        responses={200: serializers.NotedSerializer},
    )
    async def post(self, request: Request) -> Response:
        updates = [_update(data) for data in self.body(request)["updates"]]
        return Response({"noted": sum(await accounts().news.hear(updates))})


def _update(data: dict[str, Any]) -> OrderUpdate:
    return OrderUpdate(**data | {"status": OrderStatus(data["status"])})


async def _events(updates: Updates) -> AsyncIterator[bytes]:
    async with aclosing(updates):
        async for update in updates:
            yield b":\n\n" if update is None else _event(update)


def _event(update: OrderUpdate) -> bytes:
    data = wire.encode(notification_json(update))
    return b"id: %b\nevent: order-status\ndata: %b\n\n" % (update.event_id.encode(), data)
