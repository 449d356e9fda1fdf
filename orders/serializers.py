"""What orders takes and shows."""

from typing import Any

from rest_framework import serializers

from orders.domain import Destination, Line, Order, Status
from orders.entries import Entry, EntryState
from store.fields import (
    DateTimeField,
    IntegerField,
    ListField,
    MoneyField,
    Serializer,
    TextField,
    UUIDField,
)
from store.kept import Kept
from store.money import KOPECK, MAX_PRICE

MAX_LINES = 100
MAX_QUANTITY = 1000
ORDERS_A_PAGE = 100
MOST_ORDERS_A_PAGE = 1000
MAX_CHECKS = 50
MAX_DIFFERENCES = 2_147_483_647


class NewItemSerializer(Serializer):
    product_id = UUIDField()
    quantity = IntegerField(min_value=1, max_value=MAX_QUANTITY)
    price = MoneyField(min_value=KOPECK)


class NewOrderSerializer(Serializer):
    items = ListField(child=NewItemSerializer(), allow_empty=False, max_length=MAX_LINES)
    total = MoneyField(min_value=KOPECK, max_value=MAX_PRICE * MAX_LINES * MAX_QUANTITY)


class ServiceOrderSerializer(NewOrderSerializer):
    """From a service: it names the order before it asks, so that it may ask again."""

    id = UUIDField(required=False)
    valid_until = DateTimeField(required=False)


class StatusSerializer(Serializer):
    status = serializers.ChoiceField(choices=list(Status), required=False)


class OrdersQuerySerializer(Serializer):
    status = serializers.ChoiceField(choices=list(Status), required=False)
    user_id = TextField(required=False, max_length=50, help_text="Another's: for admins.")
    limit = IntegerField(min_value=1, max_value=MOST_ORDERS_A_PAGE, default=ORDERS_A_PAGE)
    cursor = TextField(required=False, max_length=2000, help_text="From the Link header.")


class ItemSerializer(Serializer):
    product_id = UUIDField()
    name = TextField()
    price = MoneyField()
    quantity = IntegerField()


class OrderSerializer(Serializer):
    id = UUIDField()
    user_id = TextField()
    items = ItemSerializer(many=True)
    total = MoneyField()
    status = serializers.ChoiceField(choices=list(Status))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ChangedOrderSerializer(Serializer):
    message = TextField()
    order = OrderSerializer()


class LabelsSerializer(Serializer):
    CREATED = TextField()
    PROCESSING = TextField()
    SHIPPING = TextField()
    DELIVERED = TextField()
    CANCELLED = TextField()


class OrderIdsSerializer(Serializer):
    ids = ListField(child=UUIDField(), max_length=MOST_ORDERS_A_PAGE)


class EntrySerializer(Serializer):
    id = UUIDField()
    state = serializers.ChoiceField(choices=list(EntryState))
    version = IntegerField(help_text="0 where there is no order.")
    undelivered = ListField(child=serializers.ChoiceField(choices=list(Destination)))
    order = OrderSerializer(allow_null=True, help_text="An ended one as it was at its end.")


class EntriesSerializer(Serializer):
    items = EntrySerializer(many=True, help_text="Without the ids that nothing is known of.")
    remembers_since = serializers.DateTimeField(help_text="What ended since is still known.")


class CheckResultSerializer(Serializer):
    check = TextField(max_length=30)
    differences = IntegerField(min_value=0, max_value=MAX_DIFFERENCES)


class AuditResultSerializer(Serializer):
    checks = ListField(child=CheckResultSerializer(), max_length=MAX_CHECKS)


class MessageSerializer(Serializer):
    message = TextField()


def entry_data(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "version": entry.order.version if entry.order else 0,
        "undelivered": entry.undelivered,
        "order": order_data(entry.order) if entry.order else None,
    }


def order_data(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "user_id": order.user_id,
        "items": [_item_data(line) for line in order.lines],
        "total": order.total,
        "status": order.status,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
    }


order_json = Kept(order_data)


def _item_data(line: Line) -> dict[str, Any]:
    return {
        "product_id": line.product_id,
        "name": line.name,
        "price": line.price,
        "quantity": line.quantity,
    }
