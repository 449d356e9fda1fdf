"""Every statement of accounts' requests, by the name under which the metrics count it."""

from store.cassandra.schema import Statements

_USER = "name_key, id, username, full_name, phone, is_admin, password_hash, created_at"
_SUM = "kind = 'sum' AND key = ''"
_STEP = "arrived, order_id, status, updated_at, total, version"

_PLAIN = {
    "user": f"SELECT {_USER} FROM users WHERE name_key = ?",
    "users": f"SELECT {_USER} FROM users WHERE name_key IN ?",
    "index_user": "INSERT INTO users_by_id (bucket, id, name_key) VALUES (?, ?, ?)",
    "user_keys": "SELECT id, name_key FROM users_by_id WHERE bucket = ? AND id > ? LIMIT ?",
    "spent": f"SELECT username, spent FROM news WHERE username IN ? AND {_SUM}",
    "arrived": f"SELECT username, arrived FROM news WHERE username IN ? AND {_SUM}",
    "steps": f"SELECT username, {_STEP} FROM news WHERE username = ? AND kind = 'step'",
    "order_records": (
        "SELECT key, version, counted FROM news WHERE username = ? AND kind = 'order' AND key IN ?"
    ),
    "own_order": "INSERT INTO order_owners (order_id, username) VALUES (?, ?) USING TTL ?",
    "order_owners": "SELECT order_id, username FROM order_owners WHERE order_id IN ?",
    "wrong_guess": "INSERT INTO wrong_guesses (key, at, mark) VALUES (?, ?, ?) USING TTL ?",
    "wrong_guesses": "SELECT at FROM wrong_guesses WHERE key = ? AND at > ? LIMIT ?",
    "forgive_guesses": "DELETE FROM wrong_guesses WHERE key = ?",
    # As every request needs it: the table itself, and so many replicas.
    "ping": "SELECT name_key FROM users WHERE name_key = '-'",
}
# Read as a decision is made: what any conditional write in flight has done is settled first.
_DECISIVE = {
    "settled_user": f"SELECT mark, {_USER} FROM users WHERE name_key = ?",
    "free_ids": "SELECT free_from FROM id_blocks WHERE name = ?",
    "known_news": (
        "SELECT kind, key, version, arrived, spent, is_registered, counted, mark FROM news"
        " WHERE username = ? AND (kind, key) IN ?"
    ),
}
_CONDITIONAL = {
    "claim_name": "INSERT INTO users (name_key, mark) VALUES (?, ?) IF NOT EXISTS USING TTL ?",
    "confirm_name": (
        "UPDATE users SET id = ?, username = ?, full_name = ?, phone = ?, is_admin = ?,"
        " password_hash = ?, created_at = ? WHERE name_key = ? IF mark = ?"
    ),
    "abandon_name": "DELETE FROM users WHERE name_key = ? IF mark = ? AND id = null",
    "change_user": ("UPDATE users SET full_name = ?, phone = ? WHERE name_key = ? IF username = ?"),
    "take_ids": "UPDATE id_blocks SET free_from = ? WHERE name = ? IF free_from = ?",
}
# These go together, in one conditional batch: "count_news".
_MOVING = {
    "put_sum": (
        "UPDATE news USING TTL ? SET version = ?, arrived = ?, spent = ?, is_registered = ?"
        f" WHERE username = ? AND {_SUM} IF version = ?"
    ),
    "put_order": (
        "UPDATE news USING TTL ? SET version = ?, counted = ?, mark = ?"
        " WHERE username = ? AND kind = 'order' AND key = ?"
    ),
    "put_step": (
        "UPDATE news USING TTL ? SET arrived = ?, order_id = ?, status = ?, updated_at = ?,"
        " total = ?, version = ? WHERE username = ? AND kind = 'step' AND key = ?"
    ),
}

STATEMENTS = Statements(plain=_PLAIN, decisive=_DECISIVE, conditional=_CONDITIONAL, moving=_MOVING)
