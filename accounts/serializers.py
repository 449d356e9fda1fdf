"""What accounts accepts, field by field, and how its people and news look as JSON."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from rest_framework.serializers import ChoiceField, DateTimeField, ListField

from accounts import domain
from accounts.domain import OrderStatus, OrderUpdate, User
from accounts.services import Profile
from store import fields
from store.kept import Kept

# A hundred lines of a thousand pieces at the highest price are a hundredth of it.
MAX_TOTAL = Decimal(10**15)
MAX_UPDATES = 100
MAX_LOGIN_NAME = 254
MAX_LOGIN_PASSWORD = 4096

_PASSWORD_STYLE = {"input_type": "password"}


def _text(length: tuple[int, int], **kwargs: Any) -> fields.TextField:
    return fields.TextField(min_length=length[0], max_length=length[1], **kwargs)


def _full_name(**kwargs: Any) -> fields.TextField:
    visible = RegexValidator(r"\S", "At least one character that can be seen.")
    return _text(domain.FULL_NAME_LENGTH, validators=[visible], **kwargs)


def _phone(**kwargs: Any) -> fields.TextField:
    characters = RegexValidator(domain.PHONE_PATTERN, domain.PHONE_SENTENCE)
    return _text(domain.PHONE_LENGTH, validators=[characters], **kwargs)


class RegistrationSerializer(fields.Serializer):
    username = _text(
        domain.USERNAME_LENGTH,
        validators=[RegexValidator(domain.USERNAME_PATTERN, domain.USERNAME_SENTENCE)],
    )
    full_name = _full_name()
    phone = _phone()
    password = _text(domain.PASSWORD_LENGTH, style=_PASSWORD_STYLE, write_only=True)
    is_admin = fields.BooleanField(required=False, default=False)


class LoginSerializer(fields.Serializer):
    """As loose as can be: a name or password that nobody can have is wrong, not malformed."""

    username = fields.TextField(max_length=MAX_LOGIN_NAME)
    password = fields.TextField(
        max_length=MAX_LOGIN_PASSWORD, style=_PASSWORD_STYLE, write_only=True
    )


class TokenRequestSerializer(LoginSerializer):
    """OAuth2's password form; its other fields (scope, client_id, ...) are ignored."""

    grant_type = ChoiceField(choices=["password"], required=False)


class PersonSerializer(fields.Serializer):
    full_name = _full_name(required=False)
    phone = _phone(required=False)


class OrderUpdateSerializer(fields.Serializer):
    order_id = fields.UUIDField()
    user_id = fields.TextField(max_length=MAX_LOGIN_NAME)
    status = ChoiceField(choices=[status.value for status in OrderStatus])
    updated_at = fields.DateTimeField()
    total = fields.MoneyField(max_value=MAX_TOTAL)
    version = fields.IntegerField(min_value=1)


class OrderUpdatesSerializer(fields.Serializer):
    updates = fields.ListField(
        child=OrderUpdateSerializer(), allow_empty=False, max_length=MAX_UPDATES
    )


class NotedSerializer(fields.Serializer):
    noted = fields.IntegerField(help_text="Those that were new.")


class TokenSerializer(fields.Serializer):
    access_token = fields.TextField()
    token_type = ChoiceField(choices=["bearer"])
    expires_in = fields.IntegerField()


class DemoTokenSerializer(fields.Serializer):
    access_token = fields.TextField()
    token_type = ChoiceField(choices=["bearer"])
    username = fields.TextField()
    is_admin = fields.BooleanField()


class UserSerializer(fields.Serializer):
    username = fields.TextField()
    full_name = fields.TextField()
    phone = fields.TextField()
    id = fields.TextField()
    created_at = DateTimeField()
    total_spent = fields.MoneyField(max_value=MAX_TOTAL)
    is_admin = fields.BooleanField()


class NewUserSerializer(UserSerializer, TokenSerializer):
    """A new user is logged in."""


class OrderSummarySerializer(fields.Serializer):
    id = fields.UUIDField()
    status = ChoiceField(choices=[status.value for status in OrderStatus])
    total = fields.MoneyField(max_value=MAX_TOTAL)
    created_at = DateTimeField()


class ProfileSerializer(UserSerializer):
    current_cart_total = fields.MoneyField(max_value=MAX_TOTAL)
    orders = OrderSummarySerializer(many=True)
    unavailable = ListField(child=ChoiceField(choices=["carts", "orders"]), required=False)


class TotalSpentSerializer(fields.Serializer):
    total_spent = fields.MoneyField(max_value=MAX_TOTAL)


class NotificationSerializer(fields.Serializer):
    order_id = fields.UUIDField()
    status = ChoiceField(choices=[status.value for status in OrderStatus])
    updated_at = DateTimeField()
    total = fields.MoneyField(max_value=MAX_TOTAL)


class RoleSerializer(fields.Serializer):
    username = fields.TextField()
    is_admin = fields.BooleanField()


class UserTotalsQuerySerializer(fields.Serializer):
    limit = fields.IntegerField(min_value=1, max_value=1000, default=1000)
    cursor = fields.TextField(required=False)


class UserTotalSerializer(fields.Serializer):
    username = fields.TextField()
    created_at = DateTimeField()
    total_spent = fields.MoneyField(max_value=MAX_TOTAL)


class UserTotalsSerializer(fields.Serializer):
    items = UserTotalSerializer(many=True)
    next_cursor = fields.TextField(allow_null=True)


class OrderIdsSerializer(fields.Serializer):
    ids = fields.ListField(child=fields.UUIDField(), max_length=1000)


class OrderRecordSerializer(fields.Serializer):
    order_id = fields.UUIDField()
    version = fields.IntegerField(help_text="That of the newest step heard of.")
    counted = fields.MoneyField(max_value=MAX_TOTAL, help_text="What of it is in the total.")


class OrderRecordsSerializer(fields.Serializer):
    items = OrderRecordSerializer(many=True, help_text="Without the orders never heard of.")


class MessageSerializer(fields.Serializer):
    message = fields.TextField()


def user_json(user: User) -> dict[str, Any]:
    """Never the password's hash."""
    return {
        "username": user.username,
        "full_name": user.full_name,
        "phone": user.phone,
        "id": user.id,
        "created_at": user.created_at,
        "total_spent": user.total_spent,
        "is_admin": user.is_admin,
    }


kept_user_json = Kept(user_json)


def profile_json(user: User, profile: Profile) -> dict[str, Any]:
    answer = user_json(user) | {"current_cart_total": profile.cart_total}
    answer["orders"] = [asdict(order) for order in profile.orders]
    if profile.unavailable:
        answer["unavailable"] = profile.unavailable
    return answer


def notification_json(update: OrderUpdate) -> dict[str, Any]:
    return {
        "order_id": update.order_id,
        "status": update.status,
        "updated_at": update.updated_at,
        "total": update.total,
    }
