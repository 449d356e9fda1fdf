"""The HTTP side of carts: one class a resource."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema

from carts.apps import carts, checkouts, keys
from carts.serializers import (
    CartPageSerializer,
    CartSerializer,
    CartsQuerySerializer,
    ItemSerializer,
    MessageSerializer,
    NewItemSerializer,
    OpenCheckoutPageSerializer,
    OpenCheckoutsQuerySerializer,
    OrderSerializer,
    QuantitySerializer,
    ViewSerializer,
    cart_data,
    item_data,
    open_checkout_data,
    view_data,
)
from store.answers import Response
from store.api import APIView
from store.idempotency import fingerprint, idempotency_key
from store.paging import decode_cursor, encode_cursor
from store.permissions import IsAdmin, IsPerson, IsService
from store.request import Request


class OwnCart(APIView):
    permission_classes = [IsPerson]

    @extend_schema(summary="Your cart", responses={200: CartSerializer})
    async def get(self, request: Request) -> Response:
        return Response(cart_data(await carts().cart(_person(request))))

    @extend_schema(summary="Empty your cart", responses={200: MessageSerializer})
    async def delete(self, request: Request) -> Response:
        await carts().clear(_person(request))
        return Response({"message": "The cart is empty."})


class Items(APIView):
    permission_classes = [IsPerson]
    inputs = {"POST": NewItemSerializer}

    @extend_schema(
        summary="Put a product into your cart, or more of it",
        request=NewItemSerializer,
        responses={200: ItemSerializer},
    )
    async def post(self, request: Request) -> Response:
        data = self.body(request)
        line = await carts().add(_person(request), data["product_id"], quantity=data["quantity"])
        return Response(item_data(line))


class Item(APIView):
    """``item_id`` is the line's id or its product's."""

    permission_classes = [IsPerson]
    inputs = {"PUT": QuantitySerializer}

    @extend_schema(
        summary="Change how many, at the present price",
        request=QuantitySerializer,
        responses={200: ItemSerializer},
    )
    async def put(self, request: Request, item_id: UUID) -> Response:
        quantity = self.body(request)["quantity"]
        line = await carts().set_quantity(_person(request), item_id, quantity=quantity)
        return Response(item_data(line))

    @extend_schema(summary="Take an item out of your cart", responses={200: MessageSerializer})
    async def delete(self, request: Request, item_id: UUID) -> Response:
        await carts().remove(_person(request), item_id)
        return Response({"message": "The item is out of the cart."})


class Checkout(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="Order all that is in your cart",
        request=None,
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
        responses={200: OrderSerializer},
    )
    async def post(self, request: Request) -> Response:
        return await checkouts().in_time(self._place(request))

    async def _place(self, request: Request) -> Response:
        user, key = _person(request), idempotency_key(request)

        async def place() -> Response:
            self.no_body(request)
            return Response(await checkouts().place(user, key=key))

        if key is None:
            return await place()
        scope = (user, "POST", "/cart/checkout", key)
        return await keys().once(scope, fingerprint(request.data), place)


class ProductView(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="Remember that you looked at a product",
        request=None,
        responses={200: MessageSerializer},
    )
    async def post(self, request: Request, product_id: UUID) -> Response:
        self.no_body(request)
        await carts().record_view(_person(request), product_id)
        return Response({"message": "The view is remembered."})


class RecentlyViewed(APIView):
    permission_classes = [IsPerson]

    @extend_schema(
        summary="The products you looked at lately, newest first",
        responses={200: ViewSerializer(many=True)},
    )
    async def get(self, request: Request) -> Response:
        recent = await carts().recent_views(_person(request))
        return Response([view_data(view) for view in recent.views])


class AllCarts(APIView):
    permission_classes = [IsAdmin]

    @extend_schema(
        summary="The carts that hold something, by user",
        parameters=[CartsQuerySerializer],
        responses={200: CartPageSerializer},
    )
    async def get(self, request: Request) -> Response:
        query = self.query(request, CartsQuerySerializer)
        user, cursor = query.get("user_id"), query.get("cursor")
        scope = f"carts:{user or ''}"
        after = decode_cursor(scope, cursor)[0] if cursor else None
        found, has_more = await carts().carts(user=user, after=after, limit=query["limit"])
        items = [{"user_id": cart.user, **cart_data(cart)} for cart in found]
        next_cursor = encode_cursor(scope, [found[-1].user]) if has_more else None
        return Response({"items": items, "next_cursor": next_cursor})


class OpenCheckouts(APIView):
    """Checkouts that are under way, or stuck: for the audit."""

    permission_classes = [IsService]

    @extend_schema(
        summary="The checkouts whose outcome is not known yet, by user",
        parameters=[OpenCheckoutsQuerySerializer],
        responses={200: OpenCheckoutPageSerializer},
    )
    async def get(self, request: Request) -> Response:
        query = self.query(request, OpenCheckoutsQuerySerializer)
        cursor = query.get("cursor")
        after = decode_cursor("checkouts", cursor)[0] if cursor else None
        found, has_more = await carts().open_checkouts(after=after, limit=query["limit"])
        next_cursor = encode_cursor("checkouts", [found[-1].user]) if has_more else None
        items = [open_checkout_data(intent) for intent in found]
        return Response({"items": items, "next_cursor": next_cursor})


def _person(request: Request) -> str:
    """Whose cart it is; IsPerson has seen to it that somebody is known."""
    return cast(str, request.user.username)
