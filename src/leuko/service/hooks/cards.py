"""Findings become cards: the row of data/cards that fits, the wording that fits, what may be done, and why."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any, Final, Literal

import msgspec

from leuko.knowledge import Library
from leuko.knowledge.schema.cards import SUMMARY_LIMIT, CardRow, Indicator, OfferRow, OverrideRow
from leuko.report.outline import PURPOSE, harmless
from leuko.result import Assessment, Citation
from leuko.service.hooks.findings import Finding

_MARKED: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_MOST_LINES: Final = 12
_MOST_SOURCES: Final = 5


class _Sent(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what is sent: what is not filled is left out, as the standard asks."""


class Coding(_Sent):
    """A code of a system."""

    code: str
    system: str
    display: str


class Source(_Sent):
    """Where the guidance comes from."""

    label: str
    url: str | None = None


class Action(_Sent):
    """One thing that a suggestion would do."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str | None = None


class Suggestion(_Sent):
    """Something that the user may choose."""

    label: str
    uuid: str
    actions: list[Action]


class Link(_Sent):
    """Where more can be read, or which app be started."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    app_context: str | None = None


class Card(_Sent):
    """A card as it is sent."""

    uuid: str
    summary: str
    indicator: Indicator
    source: Source
    detail: str
    suggestions: list[Suggestion] | None = None
    selection_behavior: Literal["any", "at-most-one"] | None = None
    override_reasons: list[Coding] | None = None
    links: list[Link] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A card before it is decided whether it is said: its row, what it is about, and the counts it rests on."""

    row: CardRow
    about: str
    counts: Mapping[str, str]
    card: Card


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What cards are made for: one service, at a time, for one person; `notes` are told below every card."""

    service: str
    patient: str
    at: datetime
    smart_launch: str = ""
    notes: tuple[str, ...] = ()
    in_bundle: frozenset[str] = frozenset()


def cards_of(
    findings: Iterable[Finding],
    assessment: Assessment,
    occasion: Occasion,
    *,
    digests: Mapping[str, str],
    library: Library,
) -> tuple[Made, ...]:
    """The cards of findings, the most urgent first; findings that no row of the service speaks of give none."""
    rows = library.rows(CardRow)
    made = [
        _made(finding, row, assessment, occasion, digests=digests, library=library)
        for finding in findings
        if (row := row_of(finding, occasion.service, rows)) is not None
    ]
    return tuple(sorted(made, key=lambda one: _ORDER.index(one.row.indicator)))


_ORDER: Final = ("critical", "warning", "info")


def row_of(finding: Finding, service: str, rows: Iterable[CardRow]) -> CardRow | None:
    """The first row that speaks of a finding at a service."""
    for row in rows:
        fits = row.finding == finding.kind and service in row.services
        level = not row.levels or finding.level in row.levels
        if fits and level and (not row.analytes or finding.analyte in row.analytes):
            return row
    return None


def _made(
    finding: Finding,
    row: CardRow,
    assessment: Assessment,
    occasion: Occasion,
    *,
    digests: Mapping[str, str],
    library: Library,
) -> Made:
    counts = _rests_on(finding, assessment, digests)
    suggestions = _suggestions(row, finding, occasion, library)
    sources = _sources(finding)
    links = _links(sources, occasion, row)
    card = Card(
        uuid=str(uuid.uuid4()),
        summary=summary_of(row.summaries, finding.words),
        indicator=row.indicator,
        source=Source(label="leuko"),
        detail=_detail(finding, assessment, occasion, sources),
        suggestions=suggestions or None,
        selection_behavior="any" if suggestions else None,
        override_reasons=_overrides(row, library) or None,
        links=links or None,
    )
    return Made(row=row, about=about_of(row.id, finding, counts), counts=counts, card=card)


def about_of(row: str, finding: Finding, counts: Mapping[str, str]) -> str:
    """A digest of what a card speaks of: equal for the same thing said of the same counts, however it is worded."""
    said = repr((row, finding.analyte, sorted(counts.items()), finding.about))
    return hashlib.sha256(said.encode()).hexdigest()


def _rests_on(finding: Finding, assessment: Assessment, digests: Mapping[str, str]) -> dict[str, str]:
    """The counts of a finding, those that a derived one was made of among them."""
    every = {status.count.id: status.count for status in assessment.history}
    named = [name for name in finding.counts if name in every]
    named += [one for name in named for one in every[name].derived_from]
    return {name: digests[name] for name in named if name in digests}


# ---- words ----------------------------------------------------------------------------------------------------------


def summary_of(wordings: Sequence[str], words: Mapping[str, str]) -> str:
    """The first wording whose parts are all known and that stays below the limit; none is ever cut.

    The last wording has no variable part and fits: the tables are held to that.
    """
    for wording in wordings:
        if all(name in words for name in placeholders(wording)):
            text = one_line(wording.format_map(words))
            if len(text) < SUMMARY_LIMIT:
                return text
    return wordings[-1]


def placeholders(wording: str) -> tuple[str, ...]:
    """The variable parts of a wording."""
    return tuple(name for _, name, _, _ in Formatter().parse(wording) if name)


def one_line(text: str) -> str:
    """Text from outside on one line, without what could change more than its own place."""
    return " ".join(harmless(text).split())


def marked(text: str) -> str:
    """Text as Markdown that shows it as it is: words from a record can neither format nor link."""
    return _MARKED.sub(r"\\\1", one_line(text))


def _detail(finding: Finding, assessment: Assessment, occasion: Occasion, sources: Sequence[Citation]) -> str:
    lines = [f"* {marked(line)}" for line in dict.fromkeys(finding.lines) if line.strip()]
    more = len(lines) - _MOST_LINES
    lines = [*lines[:_MOST_LINES], *([f"* and {more} more"] if more > 0 else [])]
    gaps = [f"* Cannot say {marked(gap.what)}: {marked(gap.why)}" for gap in dict.fromkeys(finding.gaps)]
    parts = ["\n".join(lines), "\n".join(gaps[:_MOST_LINES])]
    cited = [_cited(one) for one in sources]
    parts.append("Sources: " + "; ".join(cited) if cited else "")
    parts += [marked(note) for note in occasion.notes]
    made = f"leuko {assessment.leuko_version}, knowledge {assessment.knowledge_hash[:12]}"
    parts.append(f"_{marked(PURPOSE)}_ {marked(f'As of {assessment.as_of.isoformat()}, {made}.')}")
    return "\n\n".join(part for part in parts if part)


def _cited(one: Citation) -> str:
    where = f", {one.locator}" if one.locator else ""
    how = f" ({one.confidence})" if one.confidence != "confirmed" else ""
    return marked(f"{one.title}{where}{how}")


def _sources(finding: Finding) -> tuple[Citation, ...]:
    found = dict.fromkeys(
        citation for reason in finding.reasons for citation in reason.citations if citation.confidence != "house"
    )
    return tuple(found)[:_MOST_SOURCES]


# ---- what may be done -----------------------------------------------------------------------------------------------


def _links(sources: Sequence[Citation], occasion: Occasion, row: CardRow) -> list[Link]:
    links = [
        Link(label=one_line(one.title), url=one.url, type="absolute")
        for one in {one.url: one for one in sources if one.url.startswith("https://")}.values()
    ]
    if occasion.smart_launch:
        context = msgspec.json.encode({"card": row.id}).decode()
        links.append(Link(label="Open in leuko", url=occasion.smart_launch, type="smart", app_context=context))
    return links


def _overrides(row: CardRow, library: Library) -> list[Coding]:
    rows = {one.id: one for one in library.rows(OverrideRow)}
    return [Coding(code=name, system=rows[name].system, display=rows[name].display) for name in row.overrides]


def _suggestions(row: CardRow, finding: Finding, occasion: Occasion, library: Library) -> list[Suggestion]:
    rows = {one.id: one for one in library.rows(OfferRow)}
    found = []
    for name in row.offers:
        offer = rows[name]
        actions = _place(offer, occasion) if offer.does == "place" else _take_out(offer, finding, occasion)
        label = summary_of((offer.label, offer.description), finding.words)
        if actions:
            found.append(Suggestion(label=label, uuid=str(uuid.uuid4()), actions=actions))
    return found


def _place(offer: OfferRow, occasion: Occasion) -> list[Action]:
    """An order as a proposal: it becomes one only when somebody signs it."""
    coding = {"system": offer.system, "code": offer.code, "display": offer.display}
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": [coding], "text": offer.display},
        "subject": {"reference": f"Patient/{occasion.patient}"},
        "authoredOn": occasion.at.isoformat(timespec="seconds"),
    }
    return [Action(type="create", description=offer.description, resource=resource)]


def _take_out(offer: OfferRow, finding: Finding, occasion: Occasion) -> list[Action]:
    """Orders that are only drafts can be taken out again; signed ones are not leuko's to stop."""
    return [
        Action(type="delete", description=offer.description, resource_id=order)
        for order in finding.orders
        if order in occasion.in_bundle
    ]
