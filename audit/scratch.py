"""What one look at the shop has to remember, in a file that goes with it: shops may be large."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

TABLES = """
CREATE TABLE books (product TEXT PRIMARY KEY, line TEXT, reserved INT, sold INT, moves INT);
CREATE TABLE taken (product TEXT, state TEXT, quantity INT, PRIMARY KEY (product, state));
CREATE TABLE reservations (order_id TEXT PRIMARY KEY);
CREATE TABLE orders (order_id TEXT PRIMARY KEY, user TEXT, kopecks INT);
CREATE INDEX orders_by_user ON orders (user);
"""
KOPECKS = 100


class Scratch:
    """One look's tables; SQLite keeps what does not fit into its cache in a temporary file."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(TABLES)

    def close(self) -> None:
        self._db.close()

    def add_books(self, lines: Iterable[Row]) -> None:
        """Read again, books that differ count as moving."""
        self._db.executemany(
            "INSERT INTO books VALUES (?, ?, ?, ?, 0) ON CONFLICT (product)"
            " DO UPDATE SET moves = moves + (line IS NOT excluded.line)",
            ([each["product_id"], str(each), each["reserved"], each["sold"]] for each in lines),
        )

    def add_reservation(self, state: str, order_id: str, quantities: Mapping[str, int]) -> None:
        self._db.execute("INSERT OR IGNORE INTO reservations VALUES (?)", [order_id])
        self._db.executemany(
            "INSERT INTO taken VALUES (?, ?, ?) ON CONFLICT (product, state)"
            " DO UPDATE SET quantity = quantity + excluded.quantity",
            ([product, state, quantity] for product, quantity in quantities.items()),
        )

    def has_reservation(self, order_id: str) -> bool:
        asked = "SELECT 1 FROM reservations WHERE order_id = ?"
        return self._db.execute(asked, [order_id]).fetchone() is not None

    def stock(self) -> Iterator[tuple[str, int, int, int, int]]:
        """Product, then reserved and sold by the books and by the reservations; still ones."""
        yield from self._db.execute(
            "SELECT product, reserved, sold,"
            " (SELECT coalesce(sum(quantity), 0) FROM taken AS t"
            "  WHERE t.product = b.product AND state = 'held'),"
            " (SELECT coalesce(sum(quantity), 0) FROM taken AS t"
            "  WHERE t.product = b.product AND state = 'sold')"
            " FROM books AS b WHERE moves = 0"
        )

    def without_books(self) -> Iterator[str]:
        """Products of reservations that are in no books."""
        asked = "SELECT DISTINCT product FROM taken EXCEPT SELECT product FROM books"
        for (product,) in self._db.execute(asked):
            yield product

    def moving(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM books WHERE moves > 0").fetchone()
        return int(count)

    def add_order(self, order_id: str, user: str, counted: Decimal) -> None:
        values = [order_id, user, int(counted * KOPECKS)]
        self._db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?, ?)", values)

    def spent_by(self, user: str) -> Decimal:
        asked = "SELECT coalesce(sum(kopecks), 0) FROM orders WHERE user = ?"
        (kopecks,) = self._db.execute(asked, [user]).fetchone()
        return Decimal(kopecks) / KOPECKS
