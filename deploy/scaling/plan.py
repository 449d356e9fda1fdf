"""The arithmetic of the plan: from users at once to cores, instances, nodes and partitions."""

from dataclasses import dataclass
from math import ceil

from deploy.scaling.figures import ASSUMED, BUILT, MEASURED, SERVICES, Assumed, Built, Measured

GATEWAY = "gateway"


@dataclass(frozen=True)
class Plan:
    """Rates are a second, costs are cores: seconds of one core a second."""

    users: int
    measured: Measured = MEASURED
    built: Built = BUILT
    assumed: Assumed = ASSUMED

    # What comes in

    @property
    def reads(self) -> float:
        return self.users / self.assumed.think_seconds

    @property
    def journeys(self) -> float:
        return self.users / self.assumed.journey_every

    @property
    def logins(self) -> float:
        return self.users / self.assumed.login_every

    @property
    def live_orders(self) -> float:
        """Those that are not deleted yet."""
        return self.journeys * self.built.order_life

    # What it costs

    @property
    def statement(self) -> float:
        """One statement's part of a service's core: what journeys cost more than in memory."""
        measured = self.measured
        in_memory, on_cassandra = (
            sum(costs[service] for service in SERVICES)
            for costs in (measured.journey_in_memory, measured.journey)
        )
        return (on_cassandra - in_memory) / measured.journey_statements

    def cores(self, service: str) -> float:
        read = sum(
            self.assumed.mix[name] * (each.seconds + each.statements * self.statement)
            for name, each in self.measured.reads.items()
            if each.service == service
        )
        passwords = self.password_cores if service == "accounts" else 0.0
        return self.reads * read + self.journeys * self.measured.journey[service] + passwords

    @property
    def password_cores(self) -> float:
        return self.logins * self.measured.password

    def instances(self, service: str) -> int:
        """One process, one core each."""
        return max(self.assumed.least_instances, ceil(self.cores(service) / self.assumed.busy))

    @property
    def gateway_cores(self) -> float:
        return self.reads * self.measured.gateway + self.journeys * self.measured.journey[GATEWAY]

    @property
    def gateway_workers(self) -> int:
        return max(self.assumed.least_instances, ceil(self.gateway_cores / self.assumed.busy))

    @property
    def statements(self) -> float:
        reads = self.assumed.mix.items()
        each = sum(share * self.measured.reads[name].statements for name, share in reads)
        return self.reads * each + self.journeys * self.measured.journey_statements

    @property
    def cassandra_cores(self) -> float:
        """Of all nodes; each replica does what the one node did."""
        each = self.measured.journey_cassandra / self.measured.journey_statements
        return self.statements * each * self.assumed.replicas

    @property
    def nodes(self) -> int:
        busy_cores = self.assumed.node_cores * self.assumed.node_busy
        return max(self.assumed.replicas, ceil(self.cassandra_cores / busy_cores))

    # One product

    def orders_of_hottest(self, share: float) -> float:
        return self.journeys * share

    def cells_by_rate(self, share: float) -> int:
        """In how many partitions its stock has to lie, so that each has half its chain free."""
        each = self.measured.merged_orders * self.assumed.busy
        return ceil(self.orders_of_hottest(share) / each)

    def cells_by_size(self, share: float) -> int:
        """The same, so that none is too large while ended reservations are kept."""
        rows = self.orders_of_hottest(share) * self.built.reservation_kept
        return ceil(rows * self.assumed.row_bytes / self.assumed.partition_bytes)

    # The largest partitions, in rows

    def partitions(self) -> dict[str, float]:
        built = self.built
        kept = self.journeys * built.reservation_kept
        return {
            "stock": kept * self.assumed.hot_share,
            "reservations_by_state": kept / built.reservation_shards,
            "orders_by_status": self.journeys * built.list_seconds / built.order_shards,
            "open_checkouts": self.journeys * 60 / built.checkout_shards,
            "filled_carts": self.users / built.cart_shards,
        }


def partition_bytes(rows: float, assumed: Assumed = ASSUMED) -> float:
    return rows * assumed.row_bytes


def chain(round_trip: float, built: Built = BUILT) -> float:
    """Conditional batches a second on one partition: each waits for the one before it."""
    return 1 / (built.paxos_round_trips * round_trip)


def memory(products: int, measured: Measured = MEASURED) -> float:
    """Bytes resident of a catalog instance on Cassandra."""
    return measured.instance_bytes + (products - 1_000) * measured.product_bytes


def start(products: int, measured: Measured = MEASURED) -> float:
    """Seconds of one core until an instance has its lists."""
    return products * measured.product_start
