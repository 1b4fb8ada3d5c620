"""The leaflet for the person: one page in plain words, what to do first, a fever card to cut out.

What stands on it is chosen by rows of knowledge (data/leaflets/blocks.toml) from what the assessment and the advice
know of the person; the words are one file for each language (data/leaflets/<language>.toml). `leaflet` puts them
together; `html`, `pdf` and `text` write them. What is not known is said to be not known, in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import inf
from typing import Final

from leuko.advice.situation import lymphocytes_low
from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.knowledge import Library, load_library
from leuko.knowledge.library import every_basis
from leuko.knowledge.schema.advice import AdviceRules, BlockRow, LanguageRow
from leuko.record import Bound, Moment
from leuko.result import Assessment, Citation, Status
from leuko.result.advice import AdviceSet, Role, Tier
from leuko.wording import say_bounded, say_number, whole_years

_THOUSAND: Final = 1000
_BELOW: Final = ("<", "<=")


class Line(Frozen, frozen=True, kw_only=True):
    """A telephone line of the leaflet: whose it is, and the number; None is printed as a blank to write on."""

    label: str
    number: str | None


class Box(Frozen, frozen=True, kw_only=True):
    """A list that begins with a heading: "Call now if …"; `hints` stand below it, `lines` are numbers to call."""

    heading: str
    items: tuple[str, ...]
    hints: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


class Card(Frozen, frozen=True, kw_only=True):
    """The card to cut out, for the staff of an emergency department."""

    title: str
    cut: str
    staff: str
    name: str
    who: str
    items: tuple[str, ...]
    line: Line


class Leaflet(Frozen, frozen=True, kw_only=True):
    """The leaflet of one person in one language, ready to be laid out. `card` is absent where none is needed."""

    language: str
    page: str
    title: str
    who: str
    site: str
    day: str
    lead: tuple[str, ...]
    call: Box | None
    emergency: Box | None
    means: Box
    do: Box
    avoid: Box | None
    card: Card | None
    foot: tuple[str, ...]
    sources: tuple[str, ...]


def leaflet(
    assessment: Assessment,
    advice: AdviceSet,
    *,
    language: str = "en",
    site_name: str = "",
    library: Library | None = None,
) -> Leaflet:
    """The leaflet for an assessment with its advice; UsageError, naming the known ones, for an unknown language."""
    library = library or load_library()
    words = language_of(language, library)
    speaker = _Speaker(words=words, assessment=assessment, advice=advice)
    facts = facts_of(assessment, advice, library=library)
    tier = _tier(advice, facts)
    rows = [row for row in library.rows(BlockRow) if row.basis.drives and _shown(row, tier, facts)]
    said = {section: speaker.said(rows, section) for section in _SECTIONS}
    t = words.texts
    return Leaflet(
        language=language,
        page=t["h.page"],
        title=said["title"][0],
        who=assessment.patient.id,
        site=site_name,
        day=speaker.day(assessment.as_of),
        lead=said["lead"],
        call=_call(said, facts, speaker),
        emergency=_emergency(said, speaker),
        means=Box(heading=t["h.means"], items=said["means"]),
        do=Box(heading=t["h.everyone"] if tier == "usual" else t["h.do"], items=said["do"]),
        avoid=Box(heading=t["h.avoid"], items=said["avoid"]) if said["avoid"] else None,
        card=_card(said["card"], "helpline" if said["call_now"] else "prescriber", speaker),
        foot=(t["foot.info"], *([t["foot.asked"]] if tier != "usual" else [])),
        sources=_sources(assessment, rows, speaker, library),
    )


_SECTIONS: Final = (
    "title", "lead", "call_now", "call_day", "call_emergency", "hint", "means", "do", "avoid", "card",
)  # fmt: skip


def language_of(language: str, library: Library) -> LanguageRow:
    """The texts of a language."""
    known = {row.id: row for row in library.rows(LanguageRow)}
    if language not in known:
        raise UsageError(
            f"there is no leaflet in the language {language!r}",
            why=f"known: {', '.join(f'{row.id} ({row.name})' for row in known.values())}",
            do="name one of these, or add a file to data/leaflets",
        )
    return known[language]


def facts_of(assessment: Assessment, advice: AdviceSet, *, library: Library) -> frozenset[str]:
    """What is known of the person, in the words that the blocks of the leaflet ask for."""
    found = advice.situation
    anc, white = _counted(assessment, advice), _status(assessment, "wbc")
    head = _head(advice, part_low=_part_low(assessment, library))
    facts = {
        f"level:{found.level}": True,
        f"head:{head}": True,
        "benign": found.benign,
        "stale": found.stale_days is not None and (anc or white) is not None,
        "child": bool(found.child),
        "male": assessment.patient.sex == "male",
        "platelets:low": "platelets" in assessment.lines.low,
        "lines:other": bool({"platelets", "red"} & set(assessment.lines.low)),
        "cyclic": found.cyclic,
        "watched": bool(found.watched),
        "watched:stop": _is_stopped(assessment, found.watched),
        "count": anc is not None,
        "usual": anc is not None and anc.interval.low is not None and not found.benign,
        "white_count": anc is None and white is not None,
        "white:low": bool(found.white_low),
        "nothing": anc is None and white is None,
        "low": bool(found.white_low) or found.level not in {"not_low", "unknown"},
        # No word of comfort where the count is deep and nothing on record explains it.
        "deep_unexplained": found.treatment is not True and found.level not in _NOT_DEEP,
        "treatment:yes": found.treatment is True,
        "treatment:unknown": found.treatment is None and found.asks_treatment,
        "treatment:named": bool(found.treatments),
        "now": any(rule.active and rule.speed == "at_once" for rule in advice.calls),
        "today": any(rule.active and rule.speed == "same_day" for rule in advice.calls),
        **_cause_facts(assessment, library),
    }
    told = frozenset(name for name, held in facts.items() if held)
    return told - {"cause:viral"} if told & _MORE_THAN_A_VIRUS else told


_NOT_DEEP: Final = {"not_low", "slight", "mild", "moderate"}
# A virus that the record names is no comfort where the count is deep or more than the white cells is wrong.
_MORE_THAN_A_VIRUS: Final = {"deep_unexplained", "lines:other", "cause:blood"}


def _part_low(assessment: Assessment, library: Library) -> bool:
    latest = {status.count.analyte: status for status in assessment.latest}
    return lymphocytes_low(latest, library, assessment.as_of)


def _is_stopped(assessment: Assessment, watched: Sequence[str]) -> bool:
    """Whether a scheme that was read asks to stop or interrupt a watched medicine at these counts."""
    asked = assessment.plan.monitoring if assessment.plan is not None else ()
    return any(
        one.drug in watched
        and one.running is not False
        and one.action in {"stop", "withhold", "contraindicated"}
        and any(citation.confidence != "house" for citation in one.reason.citations)
        for one in asked
    )


def _cause_facts(assessment: Assessment, library: Library) -> dict[str, bool]:
    rules = library.rows(AdviceRules)[0]
    told = {cause.id for cause in getattr(assessment, "causes", ()) if cause.standing == "supported"}
    return {"cause:viral": bool(told & set(rules.viral_causes)), "cause:blood": bool(told & set(rules.blood_causes))}


def _head(advice: AdviceSet, *, part_low: bool) -> str:
    """Which of the titles holds."""
    found = advice.situation
    low = found.level not in {"not_low", "unknown"} or bool(found.white_low)
    if found.benign and found.stale_days is None:
        return "part_low" if part_low else "benign"
    if low:
        return "low" if found.stale_days is None else "was_low"
    if found.level == "not_low" and found.stale_days is None:
        return "part_low" if part_low else "not_low"
    return "unknown"


def _tier(advice: AdviceSet, facts: frozenset[str]) -> Tier:
    """The tier whose sentences are shown: a sign that is present now is never met with "live as you always do"."""
    tier = advice.situation.tier
    return "raised" if tier == "usual" and facts & {"now", "today"} else tier


def _shown(row: BlockRow, tier: Tier, facts: frozenset[str]) -> bool:
    return tier in row.tiers and facts.issuperset(row.needs) and facts.isdisjoint(row.without)


def _status(assessment: Assessment, analyte: str) -> Status | None:
    return next((status for status in assessment.latest if status.count.analyte == analyte), None)


def _counted(assessment: Assessment, advice: AdviceSet) -> Status | None:
    """The neutrophils, unless all that is known is that they are no more than the white cells."""
    anc = _status(assessment, "neutrophils")
    open_ = anc is not None and anc.count.bound in _BELOW and advice.situation.level == "unknown"
    return None if open_ else anc


class _Speaker(Frozen, frozen=True, kw_only=True):
    """Says the person's values in the words of one language."""

    words: LanguageRow
    assessment: Assessment
    advice: AdviceSet

    def said(self, rows: list[BlockRow], section: str) -> tuple[str, ...]:
        found = sorted((row for row in rows if row.section == section), key=lambda row: row.order)
        values = self.values()
        return tuple(self.words.texts[row.id].format_map(values) for row in found)

    def values(self) -> Mapping[str, str]:
        anc, white = _counted(self.assessment, self.advice), _status(self.assessment, "wbc")
        told = anc or white
        found = self.advice.situation
        fever, low = self.advice.fever_limit, self.advice.low_limit
        stale = found.stale_days
        on_day = self.on_day(told.count.taken) if told is not None and told.count.taken is not None else ""
        return {
            "fever": self.number(fever),
            "fever_f": self.number(_fahrenheit(fever)),
            "low": self.number(low) if low is not None else "",
            "low_f": self.number(_fahrenheit(low)) if low is not None else "",
            "count": self.bounded(anc.count.value, anc.count.bound) if anc is not None else "",
            "small": self.small(anc.count.value, anc.count.bound) if anc is not None else "",
            "usual": self.number(anc.interval.low) if anc is not None and anc.interval.low is not None else "",
            "white": self.bounded(white.count.value, white.count.bound) if white is not None else "",
            "on_day": on_day,
            "On_day": on_day[:1].upper() + on_day[1:],
            "age": self.age(stale) if stale is not None else "",
            "drugs": ", ".join(map(self.medicine, found.treatments)),
            "watched": ", ".join(map(self.medicine, found.watched)),
            "watched_start": ", ".join(found.watched).capitalize(),
        }

    def age(self, days: float) -> str:
        """The age of a count: whole years once there are two of them, else days."""
        texts, years = self.words.texts, whole_years(days)
        if years is not None:
            return texts["age.years"].format(years=years)
        return texts["age.days"].format(days=f"{days:.0f}" if days != inf else "?")

    def number(self, value: float) -> str:
        return say_number(value).replace(".", self.words.decimal)

    def bounded(self, value: float, bound: Bound) -> str:
        """A value with its bound in words where it is an upper one: "less than 0.1"."""
        if bound in _BELOW:
            return self.words.texts["less_than"].format(number=self.number(value))
        return say_bounded(value, bound).replace(".", self.words.decimal)

    def small(self, value: float, bound: Bound) -> str:
        """The same count per microlitre, as other laboratories print it."""
        grouped = f"{round(value * _THOUSAND):,}"
        shown = grouped if self.words.decimal == "." else grouped.replace(",", ".")
        return self.words.texts["less_than"].format(number=shown) if bound in _BELOW else shown

    def medicine(self, name: str) -> str:
        return name[:1].upper() + name[1:] if self.words.capital_nouns else name

    def day(self, day: date) -> str:
        return self.words.date.format(day=day.day, month=self.words.months[day.month - 1], year=day.year)

    def on_day(self, moment: Moment) -> str:
        """When a count was taken, as far as it is known: "on 9 March 2026", "in March 2026"."""
        texts = self.words.texts
        if moment.precision == "year":
            return texts["on.year"].format(day=moment.day.year)
        if moment.precision == "month":
            return texts["on.month"].format(day=f"{self.words.months[moment.day.month - 1]} {moment.day.year}")
        return texts["on.day"].format(day=self.day(moment.day))

    def line(self, role: Role) -> Line:
        numbers = {phone.role: phone.number for phone in self.advice.phones}
        return Line(label=self.words.texts[f"role.{role}"], number=numbers.get(role))


def _fahrenheit(celsius: float) -> float:
    return round(celsius * 9 / 5 + 32, 1)


def _call(said: Mapping[str, tuple[str, ...]], facts: frozenset[str], speaker: _Speaker) -> Box | None:
    """When to call the team at once, or the doctor the same day; without either, only what is good to know."""
    texts = speaker.words.texts
    now, items = said["call_now"], said["call_now"] or said["call_day"]
    if not items and not said["hint"]:
        return None
    roles: tuple[Role, ...] = ("helpline",) if now else ("doctor", "out_of_hours") if items else ()
    roles += ("prescriber",) if "watched" in facts else ()
    heading = texts["h.call_now"] if now else texts["h.call_day"] if items else ""
    return Box(heading=heading, items=items, hints=said["hint"], lines=tuple(map(speaker.line, roles)))


def _emergency(said: Mapping[str, tuple[str, ...]], speaker: _Speaker) -> Box | None:
    if not said["call_emergency"]:
        return None
    heading = speaker.words.texts["h.emergency"]
    return Box(heading=heading, items=said["call_emergency"], lines=(speaker.line("emergency"),))


def _card(items: tuple[str, ...], role: Role, speaker: _Speaker) -> Card | None:
    if not items:
        return None
    t = speaker.words.texts
    return Card(
        title=t["card.title"],
        cut=t["card.cut"],
        staff=t["card.staff"],
        name=t["card.name"],
        who=speaker.assessment.patient.id,
        items=items,
        line=speaker.line(role),
    )


def _sources(assessment: Assessment, rows: list[BlockRow], speaker: _Speaker, library: Library) -> tuple[str, ...]:
    """What the leaflet rests on: publishers and years of the sources behind the sentences that are shown."""
    made = speaker.words.texts["foot.made"].format(
        version=assessment.leuko_version, as_of=speaker.day(assessment.as_of)
    )
    cited = dict.fromkeys(citation.source for citation in _citations(rows, library))
    names = [library.sources[one].publisher or library.sources[one].title.split(".")[0] for one in cited]
    return (made, *dict.fromkeys(names))


def row_key(key: str) -> str:
    """The key of a row as blocks and statements name it: without the folder that tells two tables of one name apart."""
    kind, _, rest = key.partition(":")
    return f"{kind.rpartition('.')[2]}:{rest}"


def _citations(rows: list[BlockRow], library: Library) -> list[Citation]:
    wanted = {rest for row in rows if row.section in _CITED for rest in row.rests}
    return [
        library.cite(basis)
        for key, basis in every_basis(library)
        if row_key(key) in wanted and basis.source != "leuko-house"
    ]


_CITED: Final = ("call_now", "call_day", "call_emergency", "hint", "means", "do", "avoid")
