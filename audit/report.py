"""An audit's outcome: for people, and for programs."""

from collections.abc import Iterator
from dataclasses import asdict

from audit.differences import COMPARED, Check, Findings


def as_text(findings: Findings, *, seconds: float) -> str:
    """Each difference in a sentence, then the table."""
    counts = findings.by_check()
    ordered = sorted(
        findings.differences, key=lambda found: (list(Check).index(found.check), found.text)
    )
    lines = [f"{found.check}: {found.text}" for found in ordered]
    lines += [""] if lines else []
    lines += [*_table(findings), ""]
    if findings.moving:
        lines.append(
            f"{findings.moving} products moved while they were read; how much of them is held"
            " and sold was not judged."
        )
    count = sum(counts.values())
    verdict = f"{count} differences." if count else "The books balance."
    return "\n".join([*lines, f"{verdict} {seconds:.1f} s."])


def _table(findings: Findings) -> Iterator[str]:
    counts = findings.by_check()
    yield f"{'compared':<50} {'looked at':>10} {'differences':>12}"
    for check in Check:
        yield f"{COMPARED[check]:<50} {findings.looked_at[check]:>10} {counts[check]:>12}"


def as_data(findings: Findings, *, seconds: float) -> dict[str, object]:
    counts = findings.by_check()
    return {
        "balanced": not findings.differences,
        "seconds": round(seconds, 1),
        "moving_products": findings.moving,
        "checks": [
            {"check": check, "looked_at": findings.looked_at[check], "differences": counts[check]}
            for check in Check
        ],
        "differences": [
            asdict(found) for found in sorted(findings.differences, key=lambda f: f.text)
        ],
    }
