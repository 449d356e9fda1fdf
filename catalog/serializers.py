"""What the catalog's calls take, and the schema of what they give."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from catalog.domain import MAX_STOCK, SortBy, State
from store.fields import (
    BooleanField,
    IntegerField,
    ListField,
    MoneyField,
    Serializer,
    TextField,
    UUIDField,
)
from store.money import KOPECK

MAX_IMPORT = 500
MAX_LINES = 1000
MAX_AGE_SECONDS = 1_000_000_000
MAX_MOVES = 100
MOVES = {"sold": State.SOLD, "return": State.RETURNED, "release": State.RELEASED}
ASCENDING, DESCENDING = "asc", "desc"
# What anyone may ask for; products themselves end at MAX_PRICE.
HIGHEST_PRICE = Decimal(10) ** 18


class NewProductSerializer(Serializer):
    name = TextField(max_length=200)
    category = TextField(max_length=50)
    price = MoneyField(min_value=KOPECK)
    stock_count = IntegerField(min_value=0, max_value=MAX_STOCK)
    description = TextField(max_length=1000, min_length=0, allow_null=True, default=None)
    manufacturer = TextField(max_length=100, min_length=0, allow_null=True, default=None)

    def validate_price(self, price: Decimal) -> Decimal:
        return price.quantize(KOPECK)


class ProductChangesSerializer(NewProductSerializer):
    """Fields left out stay as they are; null clears the description or the manufacturer."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for field in fields.values():
            field.required, field.default = False, serializers.empty
        return fields


class ImportedProductSerializer(NewProductSerializer):
    product_id = UUIDField()


class ImportSerializer(Serializer):
    products = ListField(child=ImportedProductSerializer(), max_length=MAX_IMPORT)


class ImportResultSerializer(Serializer):
    created = IntegerField()
    existing = IntegerField()


class ProductSummarySerializer(Serializer):
    product_id = UUIDField()
    name = TextField()
    category = TextField()
    price = MoneyField()


class ProductSerializer(ProductSummarySerializer):
    stock_count = IntegerField()
    description = TextField(allow_null=True)
    manufacturer = TextField(allow_null=True)


class ProductPageSerializer(Serializer):
    items = ProductSummarySerializer(many=True)
    total = IntegerField(help_text="How many products the filter finds, all pages together.")
    page = IntegerField(help_text="Rows before this page // limit + 1; a cursor carries them.")
    pages = IntegerField()
    has_next = BooleanField()
    has_prev = BooleanField()
    next_cursor = TextField(allow_null=True, help_text="Where the next page begins.")


class CategorySerializer(Serializer):
    name = TextField()
    product_count = IntegerField()


class ProductQuerySerializer(Serializer):
    category = TextField(required=False, max_length=50, help_text="Admins may leave it out.")
    skip = IntegerField(min_value=0, max_value=MAX_STOCK, default=0)
    limit = IntegerField(min_value=1, max_value=100, default=100)
    sort_by = serializers.ChoiceField(choices=list(SortBy), default=SortBy.NAME)
    sort_order = serializers.ChoiceField(choices=[ASCENDING, DESCENDING], default=ASCENDING)
    min_price = MoneyField(required=False, max_value=HIGHEST_PRICE)
    max_price = MoneyField(required=False, max_value=HIGHEST_PRICE)
    cursor = TextField(required=False, max_length=2000, help_text="next_cursor of a page.")
    q = TextField(required=False, max_length=200, help_text="Beginnings of words of the name.")
    in_stock = BooleanField(default=False, help_text="true leaves out what is sold out.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "cursor" in attrs and attrs["skip"] > 0:
            raise serializers.ValidationError({"skip": ["A cursor goes without skip."]})
        lowest, highest = attrs.get("min_price"), attrs.get("max_price")
        if lowest is not None and highest is not None and lowest > highest:
            raise serializers.ValidationError({"min_price": ["min_price is above max_price."]})
        return attrs


class CategoryQuerySerializer(ProductQuerySerializer):
    category = None  # type: ignore[assignment]  # it is in the path


class ReservationItemSerializer(Serializer):
    product_id = UUIDField()
    quantity = IntegerField(min_value=1, max_value=MAX_STOCK)


class NewReservationSerializer(Serializer):
    user_id = TextField(max_length=50)
    items = ListField(child=ReservationItemSerializer(), allow_empty=False, max_length=MAX_LINES)


class ReservedLineSerializer(Serializer):
    product_id = UUIDField()
    name = TextField()
    price = MoneyField()
    quantity = IntegerField()


class ReservationSerializer(Serializer):
    order_id = UUIDField()
    state = serializers.ChoiceField(choices=list(State))
    items = ReservedLineSerializer(many=True)


class SettledSerializer(Serializer):
    order_id = UUIDField()
    state = serializers.ChoiceField(choices=[*State, "unknown"])


class MoveSerializer(Serializer):
    order_id = UUIDField()
    move = serializers.ChoiceField(choices=list(MOVES))


class MovesSerializer(Serializer):
    moves = ListField(child=MoveSerializer(), allow_empty=False, max_length=MAX_MOVES)


class SettledListSerializer(Serializer):
    items = SettledSerializer(many=True)


class ListedReservationSerializer(ReservationSerializer):
    user_id = TextField(allow_null=True)
    created_at = serializers.DateTimeField()


class ReservationPageSerializer(Serializer):
    items = ListedReservationSerializer(many=True)
    next_cursor = TextField(allow_null=True)


class ReservationQuerySerializer(Serializer):
    state = serializers.ChoiceField(choices=list(State), default=State.HELD)
    older_than = IntegerField(
        min_value=0, max_value=MAX_AGE_SECONDS, default=0, help_text="Seconds in that state."
    )
    limit = IntegerField(min_value=1, max_value=1000, default=100)
    cursor = TextField(required=False, max_length=2000)


class BooksQuerySerializer(Serializer):
    limit = IntegerField(min_value=1, max_value=1000, default=1000)
    cursor = TextField(required=False, max_length=2000)


class StockLineSerializer(Serializer):
    product_id = UUIDField()
    initial = IntegerField()
    adjustments = IntegerField()
    available = IntegerField()
    reserved = IntegerField()
    sold = IntegerField()
    withdrawn = IntegerField()
    is_open = BooleanField(help_text="false: the product was deleted.")


class BooksPageSerializer(Serializer):
    items = StockLineSerializer(many=True)
    next_cursor = TextField(allow_null=True)
    sold_kept_seconds = IntegerField(help_text="How long reservations are listed once sold.")


class HealthSerializer(Serializer):
    status = serializers.ChoiceField(choices=["ok", "error"])
    service = TextField()
    database_connection = serializers.ChoiceField(choices=["ok", "unavailable"])
