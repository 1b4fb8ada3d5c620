"""What a site decides for itself: when its people are to call, which numbers, whose guidelines, which language.

A site writes a small TOML file:

    name = "Haematology day unit"
    language = "de"
    fever_limit = 38.0          # degrees Celsius
    fever_limit_child = 38.0
    low_limit = 36.0
    bodies = ["ESMO"]           # the first whose definition of febrile neutropenia is known alerts; else any does
    country = "UK"              # US, UK or EU: whose schemes for monitored medicines stand first

    [phones]
    helpline = "+49 30 1234567"
    emergency = "112"

Everything may be left out. A number that is left out is printed as a blank line, never made up; a limit that is left
out is the most cautious one that is confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from leuko.errors import UnreadableInput, UsageError
from leuko.frozen import Frozen

COUNTRIES: Final = ("US", "UK", "EU")
ROLES: Final = ("emergency", "helpline", "out_of_hours", "doctor", "prescriber")


class SiteSettings(Frozen, frozen=True, kw_only=True):
    """The settings of a site; limits are body temperatures [Cel], None where the site leaves them to leuko.

    `phones` has a number by role: emergency, helpline (the treating team, day and night), out_of_hours, doctor,
    prescriber. `bodies` are the guideline bodies the site prefers, most preferred first. `country` is
    one of COUNTRIES or empty. `source` is the file.
    """

    name: str = ""
    language: str = "en"
    fever_limit: float | None = None
    fever_limit_child: float | None = None
    low_limit: float | None = None
    bodies: tuple[str, ...] = ()
    country: str = ""
    phones: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    source: str = ""


def read_site(path: Path) -> SiteSettings:
    """Read a site's file. UnreadableInput where it cannot be opened, UsageError where it cannot be understood."""
    import tomllib  # noqa: PLC0415 (few assessments have a file of settings)

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            "the site settings are not valid TOML", where=str(path), why=str(error), do="correct that line"
        ) from error
    except OSError as error:
        raise UnreadableInput("the site settings cannot be read", where=str(path), why=str(error.strerror)) from error
    return site_of(table, source=str(path))


def site_of(table: Mapping[str, Any], *, source: str = "") -> SiteSettings:
    """The settings that a table holds; UsageError, naming the key, where one cannot be understood."""
    known = [one.name for one in fields(SiteSettings) if one.name != "source"]
    for key in table:
        _refuse_unknown(key, known, source, "a setting")
    return SiteSettings(
        name=_text(table, "name", source),
        language=_text(table, "language", source) or "en",
        fever_limit=_limit(table, "fever_limit", source),
        fever_limit_child=_limit(table, "fever_limit_child", source),
        low_limit=_limit(table, "low_limit", source),
        bodies=_bodies(table, source),
        country=_country(table, source),
        phones=_phones(table, source),
        source=source,
    )


def table_of(site: SiteSettings) -> dict[str, Any]:
    """The table that gives these settings again; what the site leaves to leuko is left out."""
    table: dict[str, Any] = {name: getattr(site, name) for name in ("name", "country") if getattr(site, name)}
    table["language"] = site.language
    limits = ("fever_limit", "fever_limit_child", "low_limit")
    table |= {name: getattr(site, name) for name in limits if getattr(site, name) is not None}
    table |= {"bodies": list(site.bodies)} if site.bodies else {}
    return table | ({"phones": dict(site.phones)} if site.phones else {})


def _refuse_unknown(key: str, known: list[str], source: str, what: str) -> None:
    if key not in known:
        near = get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        raise UsageError(f"{key!r} is not {what} of a site", where=source, do=hint)


def _text(table: Mapping[str, Any], key: str, source: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{key} must be text", where=source, why=f"it is {value!r}", do=f'write {key} = "…"')
    return value.strip()


def _limit(table: Mapping[str, Any], key: str, source: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(
            f"{key} must be a number of degrees Celsius",
            where=source,
            why=f"it is {value!r}",
            do=f"write for example {key} = 38.0, without quotes and unit",
        )
    return float(value)


def _bodies(table: Mapping[str, Any], source: str) -> tuple[str, ...]:
    value = table.get("bodies", [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError("bodies must be a list of names", where=source, do='write bodies = ["ESMO", "IDSA"]')
    return tuple(value)


def _country(table: Mapping[str, Any], source: str) -> str:
    value = _text(table, "country", source)
    if value and value not in COUNTRIES:
        raise UsageError(
            f"{value!r} is no country that leuko has schemes of",
            where=source,
            do=f"write one of {', '.join(COUNTRIES)}",
        )
    return value


def _phones(table: Mapping[str, Any], source: str) -> Mapping[str, str]:
    value = table.get("phones", {})
    if not isinstance(value, dict):
        raise UsageError("phones must be a table", where=source, do='write [phones] and below it helpline = "…"')
    for role, number in value.items():
        _refuse_unknown(role, list(ROLES), source, "a telephone role")
        if not isinstance(number, str):
            raise UsageError(
                f"the number of {role} must be text", where=source, do=f'put it in quotes: {role} = "{number}"'
            )
        if number.strip() and not any(sign.isdigit() for sign in number):
            raise UsageError(
                f"the number of {role} has no digit",
                where=source,
                why=f"it is {number!r}",
                do="leave it out: a blank line is printed",
            )
    return MappingProxyType({role: number.strip() for role, number in value.items() if number.strip()})
