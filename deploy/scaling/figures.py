"""All that the plan rests upon: what was measured, what the shop's code fixes, what is assumed.

Times are seconds of one core unless a name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVICES = ("catalog", "carts", "orders", "accounts")
USERS = (1_000, 100_000, 1_000_000)
PRODUCTS = (1_000, 100_000, 1_000_000, 10_000_000)
ROUND_TRIPS = (0.0005, 0.002, 0.02, 0.08)  # seconds between the replicas that decide


# Seconds of a core a journey, by process. Those on Cassandra are upper bounds: a busy machine,
# few journeys, and what the shop does by itself shared out among them.
ON_CASSANDRA = {
    "catalog": 16250e-6,
    "carts": 13068e-6,
    "orders": 32273e-6,
    "accounts": 11023e-6,
    "gateway": 455e-6,
}
IN_MEMORY = {
    "catalog": 1553e-6,
    "carts": 2162e-6,
    "orders": 2079e-6,
    "accounts": 585e-6,
    "gateway": 227e-6,
}


@dataclass(frozen=True)
class Read:
    """A request that changes nothing: whose it is, what it costs there, what it asks Cassandra."""

    service: str
    seconds: float
    statements: int


@dataclass(frozen=True)
class Measured:
    """One machine of two cores; the page says where each figure comes from."""

    reads: Mapping[str, Read] = field(
        default_factory=lambda: {
            "page": Read("catalog", 217e-6, 0),
            "product": Read("catalog", 173e-6, 2),
            "cart": Read("carts", 170e-6, 1),
            "orders": Read("orders", 241e-6, 2),
            "me": Read("accounts", 169e-6, 2),
        }
    )
    gateway: float = 61e-6  # a request
    password: float = 0.35  # a log-in
    # A journey puts one thing into the cart and checks it out; its order lives to its end.
    journey: Mapping[str, float] = field(default_factory=lambda: ON_CASSANDRA)
    journey_in_memory: Mapping[str, float] = field(default_factory=lambda: IN_MEMORY)
    journey_cassandra: float = 0.243
    journey_statements: float = 94.3
    merged_orders: float = 1505  # a second on one product, one instance, 64 buyers
    lone_orders: float = 133  # the same, one buyer: one batch after the other
    instance_bytes: int = 103_000_000  # of a catalog that knows 1,000 products
    product_bytes: int = 396
    product_start: float = 37e-6  # a product read at the start


@dataclass(frozen=True)
class Built:
    """What the code fixes."""

    merged: int = 128  # orders in a batch of one product (catalog/cassandra/desks.py)
    paxos_round_trips: int = 2  # of a conditional write (deploy/cassandra/node.py: v2)
    order_life: float = 5 + 5 + 180 + 300  # seconds, on average, until it is deleted
    reservation_kept: int = 24 * 3600  # seconds an ended one stays (RESERVATION_RETENTION)
    reservation_shards: int = 8
    order_shards: int = 16
    list_seconds: int = 600
    checkout_shards: int = 4
    cart_shards: int = 16


@dataclass(frozen=True)
class Assumed:
    """Nobody has measured these: they are what to change first for another shop."""

    think_seconds: float = 10.0  # between two requests of a user
    journey_every: float = 600.0  # seconds in which a user buys once
    login_every: float = 1800.0  # as long as a token is good
    mix: Mapping[str, float] = field(
        default_factory=lambda: {
            "page": 0.50,
            "product": 0.30,
            "cart": 0.10,
            "orders": 0.06,
            "me": 0.04,
        }
    )
    busy: float = 0.5  # of a core, at the peak: the rest is for bursts and for a lost machine
    least_instances: int = 2
    replicas: int = 3
    node_cores: int = 16
    node_busy: float = 0.5
    hot_share: float = 0.05  # of all orders that want the one product most in demand
    rush_share: float = 0.50  # the same while something is on offer
    row_bytes: int = 150  # on the disk, of a row of stock or of a note
    partition_bytes: int = 100_000_000  # more than that is slow to read, compact and repair


MEASURED, BUILT, ASSUMED = Measured(), Built(), Assumed()
