"""Apache Cassandra for any service; all but ``metrics`` is imported only where it is used."""
