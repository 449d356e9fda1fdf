"""Whether the books of the running shop balance."""

import asyncio
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from audit.differences import Findings
from audit.look import audit
from audit.report import as_data, as_text
from audit.running import running_shop
from audit.shop import CannotAsk
from store import wire

DIFFERENCES = 1
CANNOT_ASK = 2
AGAIN_AFTER_SECONDS = 3.0


class Command(BaseCommand):
    help = (
        "Compares products, reservations, orders, carts, totals and news across the four running"
        " services. Status 1 when something differs, 2 when a service could not be asked."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument(
            "--again-after",
            type=float,
            default=AGAIN_AFTER_SECONDS,
            metavar="SECONDS",
            help="what differs counts if it still does after so long (default: %(default)s)",
        )
        parser.add_argument(
            "--every", type=float, metavar="SECONDS", help="again and again, with so long a pause"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = asyncio.run(self._run(**options))
        except KeyboardInterrupt:
            return
        if status:
            sys.exit(status)

    async def _run(self, *, json: bool, again_after: float, every: float | None, **_: Any) -> int:
        while True:
            status = await self._once(again_after, is_json=json)
            if every is None:
                return status
            await asyncio.sleep(every)

    async def _once(self, again_after: float, *, is_json: bool) -> int:
        began_at = time.monotonic()
        try:
            async with running_shop(settings.REMOTE_URLS) as shop:
                findings = await audit(shop, again_after=again_after)
                await shop.tell(findings.by_check())
        except CannotAsk as error:
            self.stderr.write(str(error))
            return CANNOT_ASK
        self._show(findings, time.monotonic() - began_at, is_json=is_json)
        return DIFFERENCES if findings.differences else 0

    def _show(self, findings: Findings, seconds: float, *, is_json: bool) -> None:
        if is_json:
            self.stdout.write(wire.encode(as_data(findings, seconds=seconds)).decode())
        else:
            self.stdout.write(as_text(findings, seconds=seconds))
