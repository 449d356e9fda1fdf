"""Every statement of the requests, by the name under which the metrics count it."""

from store.cassandra.schema import Statements

_LINE = "initial, available, adjustments, reserved, sold, withdrawn, is_open"
_ENTRY = "order_id, quantity, state, place, name, price, created_at, updated_at"
_PRODUCT = "id, name, category, price, quantity, description, manufacturer"

_PLAIN = {
    "product": f"SELECT {_PRODUCT} FROM products WHERE id = ?",
    "import_product": (
        f"INSERT INTO products ({_PRODUCT}) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
    ),
    "known_products": "SELECT id FROM products WHERE id IN ?",
    "known_books": "SELECT product_id FROM stock WHERE product_id IN ? PER PARTITION LIMIT 1",
    "available": "SELECT available FROM stock WHERE product_id = ? LIMIT 1",
    "first_books": f"SELECT DISTINCT product_id, {_LINE} FROM stock LIMIT ?",
    "books_after": (
        f"SELECT DISTINCT product_id, {_LINE} FROM stock WHERE token(product_id) > token(?) LIMIT ?"
    ),
    "entries": f"SELECT {_ENTRY} FROM stock WHERE product_id = ? AND order_id IN ?",
    "announce": (
        "INSERT INTO changes (minute, at, change, writer, products, is_done)"
        " VALUES (?, now(), ?, ?, ?, ?)"
    ),
    "changes": (
        "SELECT at, change, writer, products, is_done FROM changes WHERE minute = ? AND at > ?"
    ),
    "asked": "SELECT asked, closed_as, closed_at FROM reservations WHERE order_id = ?",
    "asked_together": (
        "SELECT order_id, asked, closed_as, closed_at FROM reservations WHERE order_id IN ?"
    ),
    "ask": "INSERT INTO reservations (order_id, asked, noted) VALUES (?, ?, true) USING TTL ?",
    "close_id": (
        "UPDATE reservations USING TTL ? SET closed_as = ?, closed_at = ? WHERE order_id = ?"
    ),
    "note": (
        "INSERT INTO reservations_by_state (state, shard, updated_at, order_key, lines)"
        " VALUES (?, ?, ?, ?, ?) USING TTL ?"
    ),
    "forget": (
        "DELETE FROM reservations_by_state"
        " WHERE state = ? AND shard = ? AND updated_at = ? AND order_key = ?"
    ),
    "noted": (
        "SELECT updated_at, order_key, lines FROM reservations_by_state"
        " WHERE state = ? AND shard = ? AND (updated_at, order_key) > (?, ?) AND updated_at <= ?"
        " LIMIT ?"
    ),
    # As every request needs it: the table itself, and so many replicas.
    "ping": "SELECT id FROM products WHERE id = 00000000-0000-0000-0000-000000000000",
}
# Read as a decision is made: what any conditional write in flight has done is settled first.
_DECISIVE = {
    "books": f"SELECT version, {_LINE} FROM stock WHERE product_id = ? LIMIT 1",
    "settled_product": f"SELECT {_PRODUCT} FROM products WHERE id = ?",
}
_CONDITIONAL = {
    "add_product": (
        f"INSERT INTO products ({_PRODUCT}) VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS"
    ),
    "change_product": (
        "UPDATE products SET name = ?, category = ?, price = ?, description = ?, manufacturer = ?"
        " WHERE id = ? IF EXISTS"
    ),
    "delete_product": "DELETE FROM products WHERE id = ? IF EXISTS",
    "follow": "UPDATE products SET quantity = ? WHERE id = ? IF EXISTS",
}
# These go together, in one conditional batch: "move_stock". What became of it is read at once
# where an answer is late, so it is not waited for as long as for the others.
_MOVING = {
    "move_books": (
        "UPDATE stock SET version = ?, initial = ?, available = ?, adjustments = ?,"
        " reserved = ?, sold = ?, withdrawn = ?, is_open = ? WHERE product_id = ? IF version = ?"
    ),
    "put_entry": (
        "UPDATE stock USING TTL ? SET quantity = ?, state = ?, place = ?, name = ?, price = ?,"
        " created_at = ?, updated_at = ? WHERE product_id = ? AND order_id = ?"
    ),
    "drop_entry": "DELETE FROM stock WHERE product_id = ? AND order_id = ?",
}
# Of the commands; the first three in a thread of their own, page by page.
_SCANS = {
    "all_products": (
        f"SELECT token(id), {_PRODUCT} FROM products WHERE token(id) > ? AND token(id) <= ?"
    ),
    "listed_products": (
        "SELECT id, name, category, price, quantity FROM products"
        " WHERE token(id) > ? AND token(id) <= ?"
    ),
    "all_books": (
        f"SELECT DISTINCT product_id, version, {_LINE} FROM stock"
        " WHERE token(product_id) > ? AND token(product_id) <= ?"
    ),
    "orders_of": "SELECT order_id, quantity, state FROM stock WHERE product_id = ?",
    "progress": "SELECT place FROM progress WHERE command = ?",
    "reach": "UPDATE progress SET place = ? WHERE command = ?",
    "start_over": "DELETE FROM progress WHERE command = ?",
}

STATEMENTS = Statements(
    plain=_PLAIN, decisive=_DECISIVE, conditional=_CONDITIONAL, moving=_MOVING, scan=_SCANS
)
