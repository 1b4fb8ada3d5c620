"""The settings of the site that the service grades by: kept in the store, each with who set it and since when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, select

from leuko.service.store.people import set_setting, settings
from leuko.service.store.tables import setting
from leuko.site import SiteSettings, site_of

SOURCE: Final = "the settings in the store"
_NAMES: Final = tuple(one.name for one in fields(SiteSettings) if one.name != "source")


def site_now(connection: Connection) -> SiteSettings:
    """The settings that hold now; those of nobody where none was ever set.

    Raises UsageError where what stands in the store is no setting of a site.
    """
    kept = settings(connection)
    table = {name: json.loads(kept[name]) for name in _NAMES if name in kept}
    return site_of({name: value for name, value in table.items() if value is not None}, source=SOURCE)


def set_site(connection: Connection, at: str, table: Mapping[str, Any], *, actor: str) -> tuple[str, ...]:
    """Let these settings hold from now on, and no other ones; gives the names of those that changed.

    `table` is what a site's file holds (docs/how-to/site-settings.md). Raises UsageError, and keeps nothing, where one
    cannot be understood. A setting that is left out goes back to leuko's own.
    """
    site_of(table, source="the new settings")
    kept, changed = settings(connection), []
    for name in _NAMES:
        value = json.dumps(table.get(name), sort_keys=True)
        if value != kept.get(name, "null"):
            set_setting(connection, at, name, value, actor=actor)
            changed.append(name)
    return tuple(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting that somebody set: when, who, which, and what it was and became; None stands for leuko's own."""

    at: str
    actor: str
    name: str
    before: Any
    after: Any


def changes(connection: Connection) -> tuple[Change, ...]:
    """Every change of the site's settings that the store ever saw, the newest first."""
    held: dict[str, Any] = {}
    found = []
    asked = select(setting).where(setting.c.name.in_(_NAMES)).order_by(setting.c.id)
    for row in connection.execute(asked):
        after = json.loads(row.value)
        found.append(Change(at=row.at, actor=row.actor, name=row.name, before=held.get(row.name), after=after))
        held[row.name] = after
    return tuple(reversed(found))


def digest_of(site: SiteSettings) -> str:
    """A name for settings that conclusions may hang on; empty for those of a site that decided nothing."""
    if {name: getattr(site, name) for name in _NAMES} == {name: getattr(SiteSettings(), name) for name in _NAMES}:
        return ""
    said = {name: getattr(site, name) for name in _NAMES}
    said["phones"] = dict(site.phones)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
