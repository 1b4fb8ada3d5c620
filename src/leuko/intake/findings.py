"""What the checks find: a finding becomes a `Notice` once the place and the reading are known."""

from __future__ import annotations

from leuko.errors import Notice, Place, Severity
from leuko.frozen import Frozen


class Finding(Frozen, frozen=True, kw_only=True):
    """One thing found; `fatal` where the result cannot be used."""

    code: str
    text: str
    severity: Severity
    fatal: bool
    lost: bool
    read: str | None = None
    help: str | None = None

    def notice(self, place: Place, help_text: str | None) -> Notice:
        """The notice for a place; `help_text` is the knowledge file's, used where the finding has none of its own."""
        return Notice(
            code=self.code,
            severity=self.severity,
            text=self.text,
            place=place,
            read=self.read,
            help=self.help or help_text,
            data_lost=self.lost,
        )


def fault(code: str, text: str, *, read: str | None = None, do: str | None = None) -> Finding:
    """A finding that makes the result unusable; content is lost with it."""
    return Finding(code=code, text=text, severity="error", fatal=True, lost=True, read=read, help=do)


def note(
    code: str,
    text: str,
    *,
    severity: Severity = "warning",
    lost: bool = False,
    read: str | None = None,
    do: str | None = None,
) -> Finding:
    """A finding beside a result; `lost` where the result is set aside all the same."""
    return Finding(code=code, text=text, severity=severity, fatal=lost, lost=lost, read=read, help=do)
