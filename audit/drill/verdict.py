"""The drill from its first customer to its verdict."""

from collections.abc import AsyncIterator, Sequence

from audit.differences import Check
from audit.drill import trials
from audit.drill.customers import Company, Door
from audit.drill.trials import Kill, Outcome, timed
from audit.look import audit
from audit.shop import Shop

WIDTHS = (34, 66, 7, 6)
AGAIN_AFTER_SECONDS = 2.0


async def drill(door: Door, shop: Shop, kill: Kill | None) -> AsyncIterator[Outcome]:
    """One outcome after the other; without ``kill`` nothing is killed. Raises CannotAsk."""
    company = Company(door)
    try:
        yield await timed(f"{trials.BUYERS} buyers, one unit", trials.last_unit(company))
        clicks = f"one cart, {trials.CLICKS} checkouts"
        yield await timed(f"{clicks}, one key", trials.many_clicks(company, "once"))
        yield await timed(f"{clicks}, no key", trials.many_clicks(company, None))
        if kill is not None:
            done = f"{len(trials.VICTIMS)} kill -9 amid checkouts"
            yield await timed(done, trials.kills(company, kill))
    finally:
        cleaned = await timed("everything given back", trials.clean_up(company))
    yield cleaned
    yield await timed("the audit", _audited(shop))


async def _audited(shop: Shop) -> tuple[str, bool]:
    findings = await audit(shop, again_after=AGAIN_AFTER_SECONDS)
    counts = findings.looked_at
    found = (
        f"{counts[Check.STOCK]} products, {counts[Check.ORDERS]} orders:"
        f" {len(findings.differences)} differences"
    )
    first = min((each.text for each in findings.differences), default="")
    return f"{found}. {first}" if first else found, not findings.differences


def heading() -> str:
    return row("what was done", "what came of it", "verdict", "s")


def shown(outcome: Outcome) -> str:
    verdict = "pass" if outcome.is_passed else "FAIL"
    return row(outcome.done, outcome.found, verdict, f"{outcome.seconds:.1f}")


def row(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def last_word(outcomes: Sequence[Outcome], *, asked_again: int, seconds: float) -> str:
    failed = sum(not each.is_passed for each in outcomes)
    verdict = f"{failed} of {len(outcomes)} FAILED" if failed else "The shop keeps its word"
    return f"{verdict}: {seconds:.0f} s; {asked_again} requests were asked again."
