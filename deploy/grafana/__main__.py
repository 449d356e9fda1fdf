"""``python -m deploy.grafana``: writes the dashboards' JSON."""

from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.reading import overview, service_board
from deploy.local.layout import SERVICES

FOLDER = Path(__file__).parent / "dashboards"


def dashboards() -> Mapping[str, str]:
    """The text of every dashboard, by the name of its file."""
    boards = {"overview.json": overview()}
    boards |= {f"{name}.json": service_board(name) for name in SERVICES}
    encoder = JSONEncoder(indent=1, sort_keys=True, ensure_ascii=False)
    return {file: encoder.encode(board) + "\n" for file, board in boards.items()}


def main() -> None:
    for file, text in dashboards().items():
        (FOLDER / file).write_text(text)


if __name__ == "__main__":
    main()
