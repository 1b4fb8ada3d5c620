"""Bulk export (https://hl7.org/fhir/uv/bulkdata/): asked for, waited for, fetched file by file, and tidied up.

What breaks off is gone on with: the journal knows the export and the files that are there.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import msgspec

from leuko.errors import LeukoError, UnreadableInput, UsageError
from leuko.intake.sources import printable
from leuko.service.fhir.client.journal import Asked, Got, Journal, Made, bare, digest_of
from leuko.service.fhir.client.person import KINDS, offered
from leuko.service.fhir.client.talk import JSON, Answer, Refusal, Talk, fault, refused, retry_after, said, shown

_NDJSON: Final = "application/fhir+ndjson"
_GROUP: Final = re.compile(r"(?:Group/|group/)?([A-Za-z0-9\-.]{1,64})")
_FIRST_LOOK, _LAST_LOOK, _SLOWER = 2.0, 60.0, 1.5  # seconds between looks, where the server does not say
_MOST_MANIFESTS: Final = 10_000
_GONE: Final = frozenset({404, 410})  # the server no longer has it
_ENDED: Final = _GONE | {403}  # what servers answer to a link that has ended


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
    deleted: list[_File] | None = None
    requires_access_token: bool = True
    transaction_time: str = ""
    link: list[_Link] | None = None


class _Kind(msgspec.Struct, rename="camel"):
    resource_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for: of whom (a path), which kinds of resource (all that leuko reads where none), changed since."""

    path: str
    types: tuple[str, ...] = ()
    since: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """In what ways less was asked for than there is: whoever reads the files must know."""
        since = f"only what changed since {self.since} was asked for" if self.since else ""
        types = f"only {', '.join(self.types)} was asked for" if self.types else ""
        return tuple(filter(None, (since, types)))


@dataclass(slots=True, kw_only=True)
class Exported:
    """What an export brought: lines by kind, in what ways it may be less than there is, the server's time of it."""

    resources: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    time: str = ""


class _Over(Exception):  # noqa: N818 (no error yet: the export may be asked for anew)
    """The server no longer has the export; `fault` says it."""

    def __init__(self, fault: LeukoError) -> None:
        self.fault = fault
        super().__init__(fault.what)


class _LinkEnded(Exception):  # noqa: N818 (no error yet: the list may hold a new link)
    def __init__(self, fault: Refusal) -> None:
        self.fault = fault
        super().__init__(fault.what)


class Failed(UnreadableInput):
    """The export failed for good: to go on with it is of no use."""


def scope_of(text: str) -> str:
    """The path of an export: of `all` people, of the whole `system`, or of a group by its id. Raises UsageError."""
    if text in {"all", "system"}:
        return "/Patient/$export" if text == "all" else "/$export"
    found = _GROUP.fullmatch(text)
    if found is None:
        raise UsageError(f"{printable(text)!r} is no group", do="write --export all, system, or the id of a Group")
    return f"/Group/{found[1]}/$export"


def question(what: str, types: Sequence[str] = (), since: str = "") -> Question:
    """What is asked of an export. Raises UsageError for a kind that leuko does not read, and for what is no instant."""
    kinds = tuple(dict.fromkeys(name.strip() for words in types for name in words.split(",")))
    unread = [kind for kind in kinds if kind not in KINDS]
    if unread:
        raise UsageError(f"leuko does not read {printable(unread[0])!r}", do=f"write one of {', '.join(KINDS)}")
    if since and not _is_instant(since):
        raise UsageError(
            f"{printable(since)!r} is no instant", do="write --since 2026-01-10T00:00:00Z: day, time and zone"
        )
    return Question(path=scope_of(what), types=tuple(kind for kind in KINDS if kind in kinds), since=since)


def _is_instant(text: str) -> bool:
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def export(talk: Talk, asked: Question, journal: Journal, *, patience: timedelta) -> Exported:
    """Export into the folder of a journal; goes on where an earlier call for the same broke off.

    Raises UnreadableInput where something fails that a later call may find mended, Failed (one of them) where it will
    not, and UsageError where another export lies in the folder. Afterwards `let_go`, once the files are safe.
    """
    calm = copy(talk)  # who fetches everybody can wait as long as the server asks
    calm.patience = replace(talk.patience, longest_wait=max(talk.patience.longest_wait, patience.total_seconds()))
    return _begun(calm, asked, journal, patience)


def let_go(talk: Talk, journal: Journal) -> None:
    """Tell the server that it may delete the export; whether it does is its own matter."""
    if journal.asked is not None:
        with contextlib.suppress(LeukoError):
            talk.ask("DELETE", journal.asked.status, {"Accept": JSON})


def _begun(talk: Talk, asked: Question, journal: Journal, patience: timedelta) -> Exported:
    """The export, begun or gone on with; begun anew, once, where the server no longer has it."""
    for last in (False, True):
        if journal.asked is None:
            journal.add(_kick_off(talk, asked))
        else:
            _go_on(talk, asked, journal.asked, len(journal.got))
        try:
            return _all_of_it(talk, journal, patience)
        except _Over as over:
            if last:
                raise Failed(over.fault.what, where=over.fault.where, why=over.fault.why) from over
            talk.say("the server no longer has this export; it is asked for anew, and all files with it")
            let_go(talk, journal)
            journal.clear()
    raise AssertionError  # pragma: no cover (the loop returns or raises)


def _go_on(talk: Talk, asked: Question, begun: Asked, files: int) -> None:
    if not begun.same_as(Asked(base=talk.base, path=asked.path, types=asked.types, since=asked.since)):
        raise UsageError(
            "a part of another export lies there", do="name another folder, or say --anew to give that export up"
        )
    talk.say(f"going on with an export that broke off: {files} files are there")


def _all_of_it(talk: Talk, journal: Journal, patience: timedelta) -> Exported:
    """Every file of every list; the list is asked for again where a link in it has ended."""
    before = -1
    while True:
        try:
            return _pass(talk, journal, patience)
        except _LinkEnded as ended:
            if len(journal.got) > before and journal.got:
                before = len(journal.got)
                talk.say("a link of the server has ended; asking for new ones")
            elif ended.fault.status in _GONE:
                raise _Over(ended.fault) from ended
            else:
                raise ended.fault from ended


def _pass(talk: Talk, journal: Journal, patience: timedelta) -> Exported:
    assert journal.asked is not None  # noqa: S101 (it was begun)
    done, used = Exported(), dict[str, Got]()
    if journal.asked.missing:
        done.troubles.append(f"the server has no {', '.join(journal.asked.missing)}")
    lists = list(_manifests(talk, journal.asked.status, patience))
    times = {manifest.transaction_time for manifest, _ in lists}
    if journal.made is None:
        journal.add(Made(transaction=lists[0][0].transaction_time))
    if journal.made is None or times != {journal.made.transaction}:
        raise _Over(fault("the lists of the export are not of one time", lists[0][1]))
    files = [one for manifest, where in lists for one in _listed(talk, manifest, where)]
    alike = Counter((bare(one.url), one.kind) for one in files)
    for one in files:
        got = _fetched(talk, one, journal, alone=alike[bare(one.url), one.kind] == 1)
        used[got.file] = got
        if one.is_error and got.resources:
            done.troubles.append(f"the server reported {sum(got.resources.values())} problems with the export")
    if any(manifest.deleted for manifest, _ in lists):
        done.troubles.append("the server names resources that were deleted since: what was fetched of them stays")
    journal.keep_only(used)
    done.time = journal.made.transaction
    done.resources = sum((Counter(got.resources) for got in used.values()), Counter())
    return done


def _kick_off(talk: Talk, asked: Question) -> Asked:
    has = offered(talk)
    kinds = tuple(kind for kind in asked.types or KINDS if kind in has.kinds)
    if not kinds:
        raise UsageError("the server has none of these kinds", why=f"it has {', '.join(has.kinds)}")
    words = {"_type": ",".join(kinds), "_outputFormat": _NDJSON} | ({"_since": asked.since} if asked.since else {})
    url = f"{talk.base}{asked.path}?{urlencode(words, safe=',/:')}"
    answer = talk.get(url, more={"Prefer": "respond-async"})
    if answer.status != 202:
        raise refused(answer) if answer.status != 200 else fault("the server does not export in the background", url)
    where = answer.headers.get("content-location", "")
    if not where:
        raise fault("the server began an export and does not say where to look for it", url)
    missing = tuple(kind for kind in asked.types or KINDS if kind not in has.kinds)
    return Asked(
        base=talk.base,
        path=asked.path,
        types=asked.types,
        since=asked.since,
        status=talk.joined(url, where),
        missing=missing,
    )


def _manifests(talk: Talk, status: str, patience: timedelta) -> Iterator[tuple[_Manifest, str]]:
    """The list of files, once it is ready, and those that follow it."""
    url, seen = status, set[str]()
    while url not in seen and len(seen) < _MOST_MANIFESTS:
        seen.add(url)
        answer = _ready(talk, url, patience)
        try:
            manifest = msgspec.json.decode(answer.body, type=_Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Failed("the list of exported files cannot be read", where=shown(url), why=str(error)) from error
        yield manifest, url
        onward = next((one.url for one in manifest.link or [] if one.relation == "next" and one.url), None)
        if onward is None:
            return
        url = _own(talk, url, onward)
    raise Failed("the lists of exported files lead in a circle", where=shown(status))


def _ready(talk: Talk, url: str, patience: timedelta) -> Answer:
    """Look until the export is ready, as often as the server says, else ever more rarely."""
    until, pause = talk.now() + patience, _FIRST_LOOK
    while True:
        answer = talk.get(url, accept="application/json")
        if answer.status == 200:
            return answer
        if answer.status != 202:
            told = Failed("the export failed", where=shown(url), why=said(answer))
            raise _Over(told) if answer.status in _GONE else told
        asked = retry_after(answer.headers, talk.now())
        wait = pause if asked is None else max(asked, 0.1)
        if talk.now() + timedelta(seconds=wait) > until:
            minutes = patience.total_seconds() / 60
            raise fault(f"the export was not ready after {minutes:.0f} minutes", url, do="say the same again later")
        talk.say(f"the export is being made{_progress(answer)}; looking again in {wait:.0f} seconds")
        talk.sleep(wait)
        pause = min(pause * _SLOWER, _LAST_LOOK)


def _progress(answer: Answer) -> str:
    told = printable(answer.headers.get("x-progress", ""))[:100]
    return f" ({told})" if told else ""


# ---- files ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A file that a list names."""

    url: str
    kind: str
    count: int | None
    authorised: bool
    is_error: bool


def _listed(talk: Talk, manifest: _Manifest, where: str) -> Iterator[_Wanted]:
    authorised = manifest.requires_access_token
    for one, is_error in [(one, False) for one in manifest.output] + [(one, True) for one in manifest.error or []]:
        yield _Wanted(
            url=_own(talk, where, one.url) if authorised else one.url,
            kind=one.type[:64] if one.type.isalpha() and one.type.isascii() else "Resource",
            count=one.count,
            authorised=authorised,
            is_error=is_error,
        )


def _own(talk: Talk, where: str, link: str) -> str:
    """A link of a list; one that leads to another server makes the list one that is not followed."""
    try:
        return talk.joined(where, link)
    except UnreadableInput as error:
        raise Failed(error.what, where=error.where, why=error.why, do=error.do) from error


def _fetched(talk: Talk, one: _Wanted, journal: Journal, *, alone: bool) -> Got:
    """The file, as it lies there from an earlier call, or fetched."""
    got = journal.whole(one.url, one.kind, alone=alone)
    if got is None:
        path = journal.folder / journal.name_for(one.url, one.kind)
        counts = _file(talk, one.url, path, one.count, authorised=one.authorised)
        got = Got(url=one.url, kind=one.kind, file=path.name, sha256=digest_of(path), resources=dict(counts))
        journal.add(got)
    return got


def _file(talk: Talk, url: str, path: Path, count: int | None, *, authorised: bool) -> Counter[str]:
    """Fetch one file, again where it came in half; what stands in it, by kind."""
    for last in (False, True):
        try:
            with path.open("w+b") as into:
                talk.download(url, into, accept=_NDJSON, authorised=authorised)
                into.flush()
                os.fsync(into.fileno())
        except Refusal as refusal:
            path.unlink(missing_ok=True)
            if refusal.status in _ENDED:
                raise _LinkEnded(refusal) from refusal
            raise
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
