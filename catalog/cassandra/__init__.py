"""The catalogue on Apache Cassandra; imported only where CASSANDRA_HOST is set."""
