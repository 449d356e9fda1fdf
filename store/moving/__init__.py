"""Moving house: the state of stopped services as a file, out of one kind of store into another.

What stands in the file are the rows of the journals: table, key and JSON, as
``store.journal.format`` has them, so that each service describes its records once.
"""
