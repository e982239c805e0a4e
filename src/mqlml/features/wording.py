"""Text as people type it, made comparable."""

import unicodedata

# Longer titles and names carry nothing more; cutting them bounds the work.
MAX_LENGTH = 300


def tidy(text: str) -> str:
    """Return `text` in lower case, with single blanks and no blanks around it.

    >>> tidy("  Financial   SERVICES ")
    'financial services'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def plain_words(text: str) -> str:
    """Return the words of `text` between single blanks: no case, accents, signs or emoji.

    >>> plain_words("Sr. Geschäftsführer / R&D 🚀")
    ' sr geschaftsfuhrer r d '
    """
    folded = unicodedata.normalize("NFKD", tidy(text[:MAX_LENGTH]))
    kept = "".join(_kept(c) for c in folded if not unicodedata.combining(c))
    return f" {' '.join(kept.split())} "


def _kept(character: str) -> str:
    return character if character.isalnum() else " "
