"""What people and machines may do: each role may what the ones before it may."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """A viewer reads, a clinician also answers and acts, an admin also sets what the site decides."""

    VIEWER = 1
    CLINICIAN = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role as settings and the store write it."""
        return self.name.casefold()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role by its word. Raises ValueError."""
        try:
            return cls[word.upper()]
        except KeyError as error:
            raise ValueError(f"{word!r} is no role: {', '.join(role.word for role in cls)}") from error
