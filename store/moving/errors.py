"""Why state cannot be moved, as a sentence for whoever asked."""


class CannotMove(Exception):
    """Nothing was changed where it would have gone, unless the sentence says so."""
