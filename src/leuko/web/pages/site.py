"""The settings of the site: an admin sets them, everyone is graded by them, each change is kept with who made it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import rtoml
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from leuko.advice.limits import Limits, limits_of
from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.knowledge.schema.infection import FeverRow
from leuko.service.http.context import Context
from leuko.service.http.guard.who import Who
from leuko.service.store.people import last_setting
from leuko.service.store.site import changes, set_site, site_now
from leuko.site import COUNTRIES, ROLES, SiteSettings, site_of, table_of
from leuko.web.access import Admin, Given
from leuko.web.in_memory import InMemory
from leuko.web.leaflets import languages
from leuko.web.render import page

PATH: Final = "/site"
LIMITS: Final = ("fever_limit", "fever_limit_child", "low_limit")
TITLES: Final = {
    "name": "Name",
    "language": "Language of leaflets",
    "fever_limit": "Fever limit",
    "fever_limit_child": "Fever limit for children",
    "low_limit": "Low temperature limit",
    "bodies": "Preferred guideline bodies",
    "country": "Country",
    "phones": "Telephone numbers",
}
PHONES: Final = {
    "emergency": "Emergency number",
    "helpline": "Treating team, day and night",
    "out_of_hours": "Out of hours",
    "doctor": "Doctor",
    "prescriber": "Prescriber of a monitored medicine",
}
_MOST_CHANGES: Final = 200


def router() -> APIRouter:
    """The form, what was set before, and the same as the file that the command line reads."""
    found = APIRouter(route_class=InMemory)

    @found.get(PATH)
    def shown(request: Request, who: Admin, given: Given, kept: str = "") -> Response:
        return _page(request, who, given, kept=kept)

    @found.post(PATH)
    async def change(request: Request, who: Admin, given: Given) -> Response:
        form = await request.form()
        return await given.off_loop(_set, request, who, given, _filled(form), _text(form, "seen"))

    @found.post(f"{PATH}/file")
    async def take(request: Request, who: Admin, given: Given) -> Response:
        form = await request.form()
        file = form.get("file")
        content = await file.read() if isinstance(file, UploadFile) else b""
        return await given.off_loop(_set_from_file, request, who, given, content, _text(form, "seen"))

    @found.get(f"{PATH}/site.toml")
    def as_file(who: Admin, given: Given) -> Response:  # noqa: ARG001 (who may ask)
        with given.store.read() as connection:
            content = rtoml.dumps(table_of(site_now(connection)), pretty=True)
        headers = {"Content-Disposition": 'attachment; filename="site.toml"'}
        return Response(content, media_type="application/toml", headers=headers)

    return found


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _filled(form: FormData) -> dict[str, str]:
    names = ("name", "language", *LIMITS, "bodies", "country", *(f"phones.{role}" for role in ROLES))
    return {name: _text(form, name) for name in names}


def _table(filled: Mapping[str, str]) -> dict[str, Any]:
    """What the form says, as a site's file would; empty fields are left out. UsageError where a limit is no number."""
    table: dict[str, Any] = {name: filled[name] for name in ("name", "country") if filled[name]}
    table |= {"language": filled["language"]} if filled["language"] not in {"", SiteSettings().language} else {}
    table |= {name: _number(name, filled[name]) for name in LIMITS if filled[name]}
    bodies = [body.strip() for body in filled["bodies"].split(",") if body.strip()]
    phones = {role: filled[f"phones.{role}"] for role in ROLES if filled[f"phones.{role}"]}
    return table | ({"bodies": bodies} if bodies else {}) | ({"phones": phones} if phones else {})


def _number(name: str, text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise UsageError(f"{TITLES[name]} must be a number of degrees Celsius", do="write it as 38.0") from error


def _checked(table: Mapping[str, Any]) -> SiteSettings:
    """The settings, where every limit can be meant. Raises UsageError."""
    site = site_of(table, source="the new settings")
    for child in (False, True):
        limits_of(site, child=child, library=load_library())
    if site.language not in {row.id for row in languages()}:
        raise UsageError(f"there is no leaflet in {site.language!r}", do="choose one of the languages")
    return site


def _set(request: Request, who: Who, given: Context, filled: Mapping[str, str], seen: str) -> Response:
    try:
        table = _table(filled)
        _checked(table)
    except UsageError as error:
        return _page(request, who, given, filled=filled, trouble=error)
    return _keep(request, who, given, table, seen=seen, filled=filled)


def _set_from_file(request: Request, who: Who, given: Context, content: bytes, seen: str) -> Response:
    try:
        table = tomllib.loads(content.decode())
        _checked(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        trouble = UsageError("the file is not valid TOML", why=str(error), do="see the how-to about site settings")
        return _page(request, who, given, trouble=trouble)
    except UsageError as error:
        return _page(request, who, given, trouble=error)
    return _keep(request, who, given, table, seen=seen, filled=None)


def _keep(
    request: Request, who: Who, given: Context, table: Mapping[str, Any], *, seen: str, filled: Mapping[str, str] | None
) -> Response:
    """Set them, unless somebody else did since the form was opened: theirs would be undone unseen."""
    with given.store.write() as connection:
        last = last_setting(connection)
        if seen == str(last):
            changed = set_site(connection, given.store.now(), table, actor=who.name)
    if seen != str(last):
        trouble = UsageError(
            "somebody changed the settings while this form was open",
            why="what holds now stands below, in the history",
            do="look at it, and save again if you still want yours",
        )
        return _page(request, who, given, filled=filled, trouble=trouble)
    return RedirectResponse(f"{PATH}?kept={len(changed)}", status_code=303)


def _page(
    request: Request,
    who: Who,
    given: Context,
    *,
    filled: Mapping[str, str] | None = None,
    trouble: UsageError | None = None,
    kept: str = "",
) -> Response:
    library = load_library()
    with given.store.read() as connection:
        site, last, history = site_now(connection), last_setting(connection), changes(connection)
    words = {
        "site": site,
        "filled": filled or _fields(site),
        "last": last,
        "history": history[:_MOST_CHANGES],
        "older": max(0, len(history) - _MOST_CHANGES),
        "said": _said,
        "trouble": trouble,
        "kept": int(kept) if kept.isdecimal() else None,
        "titles": TITLES,
        "phones": PHONES,
        "countries": COUNTRIES,
        "languages": languages(),
        "bodies": sorted({row.body for row in library.rows(FeverRow) if row.basis.drives}),
        "limits": _limits(site),
    }
    return page(request, "site.html", words, who=who, status=422 if trouble else 200)


def _limits(site: SiteSettings) -> Mapping[str, Limits]:
    """At which temperature whom is told to call, and why; what stands in the store was checked before."""
    library, ages = load_library(), {"adults": False, "children": True}
    return {name: limits_of(site, child=child, library=library) for name, child in ages.items()}


def _fields(site: SiteSettings) -> dict[str, str]:
    filled = {name: str(getattr(site, name)) for name in ("name", "language", "country")}
    filled |= {name: "" if (value := getattr(site, name)) is None else f"{value:g}" for name in LIMITS}
    filled |= {f"phones.{role}": site.phones.get(role, "") for role in ROLES}
    return filled | {"bodies": ", ".join(site.bodies)}


def _said(value: Any) -> str:
    """A value of the history in words."""
    if value in (None, "", [], {}):
        return "left to leuko"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return "; ".join(f"{PHONES.get(role, role)}: {number}" for role, number in value.items())
    return f"{value:g} °C" if isinstance(value, float) else str(value)
