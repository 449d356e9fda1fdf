"""What can go wrong with a journal: at its start for a person, later for a client."""

from store.errors import Unavailable


class CannotOpen(Exception):
    """The service must not start; the text is a sentence for whoever started it."""


class JournalUnavailable(Unavailable):
    code = "journal_unavailable"
    detail = "Changes can not be kept at the moment; nothing was changed, come back later."
