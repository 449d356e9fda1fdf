"""The picture at the end of ``make bench``: one bar a figure, and where it should reach."""

from dataclasses import dataclass

WIDTH = 40


@dataclass(frozen=True)
class Figure:
    """``reach`` is a floor, or with ``at_most`` a ceiling; ``text``: the value as people say it."""

    name: str
    value: float
    reach: float
    text: str
    at_most: bool = False

    @property
    def score(self) -> float:
        """1 where it reaches exactly what it should, more where it does better."""
        if not self.at_most:
            return self.value / self.reach
        return self.reach / self.value if self.value > 0 else 2.0


def picture(figures: list[Figure]) -> str:
    """The mark in the middle is the reach; a bar that gets there is full."""
    return "\n".join(_bar(figure) for figure in figures)


def _bar(figure: Figure) -> str:
    half = WIDTH // 2
    filled = min(WIDTH, round(figure.score * half))
    bar = ("█" * filled).ljust(WIDTH)
    bar = f"{bar[:half]}|{bar[half:]}"
    verdict = "reached" if figure.score >= 1 else "short"
    return f"{figure.name:34} {bar} {figure.text:>16}  {verdict}"
