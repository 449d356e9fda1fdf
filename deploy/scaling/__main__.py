"""``python -m deploy.scaling``: the tables of docs/scaling.md."""

from deploy.scaling.tables import TABLES

if __name__ == "__main__":
    for title, make in TABLES.items():
        print(f"{title}\n\n{make()}\n")
