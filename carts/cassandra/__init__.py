"""Carts on Apache Cassandra; imported only where STORE=cassandra."""
