"""What carts takes and shows."""

from typing import Any

from rest_framework import serializers

from carts.domain import MAX_QUANTITY, Cart, CartLine, CheckoutIntent, View
from store.fields import IntegerField, MoneyField, Serializer, TextField, UUIDField
from store.kept import Kept

CARTS_A_PAGE = 100


class QuantitySerializer(Serializer):
    quantity = IntegerField(min_value=1, max_value=MAX_QUANTITY)


class NewItemSerializer(QuantitySerializer):
    product_id = UUIDField()


class CartsQuerySerializer(Serializer):
    user_id = TextField(required=False, max_length=50)
    limit = IntegerField(min_value=1, max_value=CARTS_A_PAGE, default=CARTS_A_PAGE)
    cursor = TextField(required=False)


class ItemSerializer(Serializer):
    id = UUIDField()
    product_id = UUIDField()
    name = TextField()
    price = MoneyField()
    quantity = IntegerField()
    total_price = MoneyField()


class CartSerializer(Serializer):
    items = ItemSerializer(many=True)
    total = MoneyField()


class UserCartSerializer(CartSerializer):
    user_id = TextField()


class CartPageSerializer(Serializer):
    items = UserCartSerializer(many=True)
    next_cursor = TextField(allow_null=True)


class OpenCheckoutSerializer(Serializer):
    user_id = TextField()
    order_id = UUIDField()
    valid_until = serializers.DateTimeField()


class OpenCheckoutPageSerializer(Serializer):
    items = OpenCheckoutSerializer(many=True)
    next_cursor = TextField(allow_null=True)


class OpenCheckoutsQuerySerializer(Serializer):
    limit = IntegerField(min_value=1, max_value=1000, default=1000)
    cursor = TextField(required=False)


class ViewSerializer(Serializer):
    product_id = UUIDField()
    viewed_at = serializers.DateTimeField()


class MessageSerializer(Serializer):
    message = TextField()


class OrderItemSerializer(Serializer):
    product_id = UUIDField()
    name = TextField()
    price = MoneyField()
    quantity = IntegerField()


class OrderSerializer(Serializer):
    """An order as the orders service shows it."""

    id = UUIDField()
    user_id = TextField()
    items = OrderItemSerializer(many=True)
    total = MoneyField()
    status = TextField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def item_data(line: CartLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "product_id": line.product_id,
        "name": line.name,
        "price": line.price,
        "quantity": line.quantity,
        "total_price": line.total,
    }


_item_json = Kept(item_data)


def cart_data(cart: Cart) -> dict[str, Any]:
    return {"items": _item_json.each(cart.lines.values()), "total": cart.total}


def open_checkout_data(intent: CheckoutIntent) -> dict[str, Any]:
    return {
        "user_id": intent.user,
        "order_id": intent.order_id,
        "valid_until": intent.valid_until,
    }


def view_data(view: View) -> dict[str, Any]:
    return {"product_id": view.product_id, "viewed_at": view.viewed_at}
