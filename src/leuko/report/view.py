"""What every view of an assessment gives, so that the command line and the service can offer all of them."""

from __future__ import annotations

from collections.abc import Callable

from leuko.frozen import Frozen
from leuko.result import Assessment


class View(Frozen, frozen=True, kw_only=True):
    """One way to see an assessment: `write` turns it into the bytes of a file with this suffix and media type."""

    name: str
    suffix: str
    media_type: str
    write: Callable[[Assessment], bytes]
