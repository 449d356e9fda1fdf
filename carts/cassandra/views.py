"""What users looked at lately: a row a product, of which the writer leaves only the latest."""

from carts.domain import MAX_RECENT_VIEWS, RecentViews, View
from store.cassandra.bridge import Bridge
from store.clock import microseconds, moment

KEPT_SECONDS = 90 * 24 * 3600


class Views:
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def recent(self, user: str) -> RecentViews:
        return RecentViews(tuple(await self._all(user))[:MAX_RECENT_VIEWS])

    async def record(self, user: str, view: View) -> None:
        """The later view of a product has its way, in whatever order they come."""
        others = [seen for seen in await self._all(user) if seen.product_id != view.product_id]
        viewed_at = microseconds(view.viewed_at)
        put = (user, view.product_id, viewed_at, KEPT_SECONDS, viewed_at)
        drops = [
            ("drop_view", (microseconds(seen.viewed_at), user, seen.product_id))
            for seen in others[MAX_RECENT_VIEWS - 1 :]
        ]
        await self._bridge.together("record_view", [("put_view", put), *drops])

    async def _all(self, user: str) -> list[View]:
        """Newest first."""
        rows = await self._bridge.ask("recent_views", user)
        views = [View(product_id, moment(at)) for product_id, at in rows]
        return sorted(views, key=lambda view: view.viewed_at, reverse=True)
