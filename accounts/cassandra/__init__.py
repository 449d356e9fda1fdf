"""Accounts on Apache Cassandra; imported only with STORE=cassandra."""
