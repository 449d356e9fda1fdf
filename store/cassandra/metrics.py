"""What Prometheus learns about the Cassandra of this process; shown from the start."""

from prometheus_client import Counter, Gauge, Histogram

CASSANDRA_CONNECTIONS = Gauge("cassandra_connections_active", "Open connections to Cassandra.")
CASSANDRA_QUERIES = Counter("cassandra_queries_total", "Queries to Cassandra.", ["operation"])
CASSANDRA_QUERY_SECONDS = Histogram(
    "cassandra_query_duration_seconds", "How long queries to Cassandra take.", ["operation"]
)
CASSANDRA_FAILURES = Counter(
    "cassandra_failures_total", "Queries to Cassandra that brought no answer.", ["operation"]
)
