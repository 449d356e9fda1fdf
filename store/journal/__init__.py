"""The journal: what a memory store changes is on the disk before it is acknowledged.

``docs/journal.md`` says what it promises, ``writer.Journal`` how it is used.
"""

from store.journal.errors import CannotOpen, JournalUnavailable
from store.journal.format import Change
from store.journal.opening import open_journal
from store.journal.writer import Journal, Sync

__all__ = ["CannotOpen", "Change", "Journal", "JournalUnavailable", "Sync", "open_journal"]
