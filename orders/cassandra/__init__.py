"""Orders on Apache Cassandra; imported only where their state is there."""
