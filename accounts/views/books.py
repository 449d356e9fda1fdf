"""What accounts has counted, for the audit."""

from uuid import UUID

from drf_spectacular.utils import extend_schema

from accounts import serializers
from accounts.apps import accounts
from accounts.domain import OrderRecord, User
from store.answers import Response
from store.api import APIView
from store.paging import decode_cursor, encode_cursor
from store.permissions import IsService
from store.request import Request

LIST = "totals"


class UserTotals(APIView):
    permission_classes = [IsService]

    @extend_schema(
        summary="What each user has spent, by id",
        parameters=[serializers.UserTotalsQuerySerializer],
        responses={200: serializers.UserTotalsSerializer},
    )
    async def get(self, request: Request) -> Response:
        query = self.query(request, serializers.UserTotalsQuerySerializer)
        after = decode_cursor(LIST, query["cursor"])[0] if query.get("cursor") else ""
        found = await accounts().people.page(after=after, limit=query["limit"])
        is_last = len(found) < query["limit"]
        next_cursor = None if is_last else encode_cursor(LIST, [found[-1].id])
        return Response({"items": [_total(user) for user in found], "next_cursor": next_cursor})


class OrderRecords(APIView):
    permission_classes = [IsService]
    inputs = {"POST": serializers.OrderIdsSerializer}

    @extend_schema(
        summary="What was heard of some orders; nothing is changed",
        responses={200: serializers.OrderRecordsSerializer},
    )
    async def post(self, request: Request) -> Response:
        found = await accounts().news.records(self.body(request)["ids"])
        items = [_record(order_id, record) for order_id, record in found.items()]
        return Response({"items": items})


def _total(user: User) -> dict[str, object]:
    return {
        "username": user.username,
        "created_at": user.created_at,
        "total_spent": user.total_spent,
    }


def _record(order_id: UUID, record: OrderRecord) -> dict[str, object]:
    return {"order_id": order_id, "version": record.version, "counted": record.counted}
