"""The log: one line a request and one a record, as JSON or for people."""
