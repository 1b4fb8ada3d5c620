"""Bulk export (https://hl7.org/fhir/uv/bulkdata/): asked for, waited for, fetched file by file, and tidied up."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from leuko.errors import LeukoError, UsageError
from leuko.intake.sources import printable
from leuko.service.fhir.client.person import offered
from leuko.service.fhir.client.talk import JSON, Answer, Refusal, Talk, fault, refused, retry_after, said

_NDJSON: Final = "application/fhir+ndjson"
_GROUP: Final = re.compile(r"(?:Group/|group/)?([A-Za-z0-9\-.]{1,64})")
_FIRST_LOOK, _LAST_LOOK, _SLOWER = 2.0, 60.0, 1.5  # seconds between looks, where the server does not say
_MOST_MANIFESTS: Final = 10_000


class _File(msgspec.Struct):
    url: str
    type: str = "Resource"
    count: int | None = None


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


class _Manifest(msgspec.Struct, rename="camel"):
    output: list[_File]
    error: list[_File] | None = None
    requires_access_token: bool = True
    link: list[_Link] | None = None


class _Kind(msgspec.Struct, rename="camel"):
    resource_type: str


@dataclass(slots=True, kw_only=True)
class Exported:
    """What an export brought: lines by kind, and in what ways it may be less than there is."""

    resources: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    files: int = 0


def scope_of(text: str) -> str:
    """The path of an export: of `all` people, of the whole `system`, or of a group by its id. Raises UsageError."""
    if text in {"all", "system"}:
        return "/Patient/$export" if text == "all" else "/$export"
    found = _GROUP.fullmatch(text)
    if found is None:
        raise UsageError(f"{printable(text)!r} is no group", do="write --export all, system, or the id of a Group")
    return f"/Group/{found[1]}/$export"


def export(talk: Talk, path: str, folder: Path, *, patience: timedelta) -> Exported:
    """Export into a folder, a file for each of the server's. Raises UnreadableInput where it fails or is not whole."""
    has = offered(talk)
    status = _kick_off(talk, path, has.kinds)
    try:
        done = Exported()
        if has.missing:
            done.troubles.append(f"the server has no {', '.join(has.missing)}")
        for manifest, where in _manifests(talk, status, patience):
            _fetch(talk, manifest, where, folder, done)
    finally:  # the server may let the files go; where we broke off, it need not go on
        with contextlib.suppress(LeukoError):
            talk.ask("DELETE", status, {"Accept": JSON})
    return done


def _kick_off(talk: Talk, path: str, kinds: tuple[str, ...]) -> str:
    url = f"{talk.base}{path}?{urlencode({'_type': ','.join(kinds), '_outputFormat': _NDJSON}, safe=',/')}"
    answer = talk.get(url, more={"Prefer": "respond-async"})
    if answer.status != 202:
        raise refused(answer) if answer.status != 200 else fault("the server does not export in the background", url)
    where = answer.headers.get("content-location", "")
    if not where:
        raise fault("the server began an export and does not say where to look for it", url)
    return talk.joined(url, where)


def _manifests(talk: Talk, status: str, patience: timedelta) -> Iterator[tuple[_Manifest, str]]:
    """The list of files, once it is ready, and those that follow it."""
    url, seen = status, set[str]()
    while url not in seen and len(seen) < _MOST_MANIFESTS:
        seen.add(url)
        answer = _ready(talk, url, patience)
        try:
            manifest = msgspec.json.decode(answer.body, type=_Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise fault("the list of exported files cannot be read", url, why=str(error)) from error
        yield manifest, url
        onward = next((one.url for one in manifest.link or [] if one.relation == "next" and one.url), None)
        if onward is None:
            return
        url = talk.joined(url, onward)
    raise fault("the lists of exported files lead in a circle", status)


def _ready(talk: Talk, url: str, patience: timedelta) -> Answer:
    """Look until the export is ready, as often as the server says, else ever more rarely."""
    until, pause = talk.now() + patience, _FIRST_LOOK
    while True:
        answer = talk.get(url, accept="application/json")
        if answer.status == 200:
            return answer
        if answer.status != 202:
            raise Refusal(answer.status, "the export failed", where=refused(answer).where, why=said(answer), do="")
        asked = retry_after(answer.headers, talk.now())
        wait = pause if asked is None else max(asked, 0.1)
        if talk.now() + timedelta(seconds=wait) > until:
            minutes = patience.total_seconds() / 60
            raise fault(f"the export was not ready after {minutes:.0f} minutes", url, do="give more by --patience")
        talk.say(f"the export is being made{_progress(answer)}; looking again in {wait:.0f} seconds")
        talk.sleep(wait)
        pause = min(pause * _SLOWER, _LAST_LOOK)


def _progress(answer: Answer) -> str:
    told = printable(answer.headers.get("x-progress", ""))[:100]
    return f" ({told})" if told else ""


# ---- files ----------------------------------------------------------------------------------------------------------


def _fetch(talk: Talk, manifest: _Manifest, where: str, folder: Path, done: Exported) -> None:
    told = [(one, False) for one in manifest.output] + [(one, True) for one in manifest.error or []]
    for one, is_error in told:
        done.files += 1
        kind = one.type if one.type.isalpha() and one.type.isascii() else "Resource"
        path = folder / f"{kind[:64]}-{done.files:04d}.ndjson"
        url = one.url if not manifest.requires_access_token else talk.joined(where, one.url)
        counts = _file(talk, url, path, one.count, authorised=manifest.requires_access_token)
        done.resources += counts
        if is_error and counts:
            done.troubles.append(f"the server reported {counts.total()} problems with the export")


def _file(talk: Talk, url: str, path: Path, count: int | None, *, authorised: bool) -> Counter[str]:
    """Fetch one file, again where it came in half; what stands in it, by kind."""
    for last in (False, True):
        with path.open("w+b") as into:
            talk.download(url, into, accept=_NDJSON, authorised=authorised)
        try:
            counts = _counted(path, url)
        except LeukoError:
            if last:
                raise
            continue
        if count is None or counts.total() >= count:
            return counts
    raise fault("a file of the export is not whole", url, why=f"it has {counts.total()} of {count} resources")


def _counted(path: Path, url: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                counts[msgspec.json.decode(line, type=_Kind).resource_type] += 1
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise fault("a file of the export is not whole", url, why=f"line {number} is no resource") from error
    return counts
