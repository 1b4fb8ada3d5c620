"""Every access to a person's data is kept in the audit before the data are given; where it cannot be kept, none are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from fastapi import Request

from leuko.service.http.context import context
from leuko.service.http.guard.who import Who
from leuko.service.store import fitted
from leuko.service.store.audit import record

Access = Literal["read", "search", "create", "update", "execute"]
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})
_SUBJECT: Final = 500  # width of the column


def audited(
    request: Request,
    who: Who | str,
    *,
    person: str,
    what: str,
    access: Access = "read",
    detail: Mapping[str, Any] = _NONE,
) -> None:
    """Keep that someone reads or changes something of a person; call it before the data are given.

    `who` is a person or machine of this service, or the name of who asks by other means (an EHR and its user). `what`
    names the kind of data ("assessment", "card"); `detail` holds ids and numbers, no names and no values. Waits for the
    disk: call it from a route that is no coroutine. Raises StoreDown where it cannot be kept: then answer nothing else.
    """
    given = context(request)
    more = {
        "access": access,
        "what": what,
        "via": who.via if isinstance(who, Who) else "other",
        "client": request.client.host if request.client is not None else "",
        "request": getattr(request.state, "number", ""),
        **detail,
    }
    actor = who.name if isinstance(who, Who) else who
    with given.store.write() as connection:
        record(
            connection,
            given.store.now(),
            actor=fitted(actor, 200),
            action=f"person-{access}",
            subject=fitted(person, _SUBJECT),
            detail=more,
        )
