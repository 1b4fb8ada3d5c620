"""The whole flow for one person, in the order in which a clinician would reason.

record -> where the counts stand -> medicines, causes, infection, plan, forecast -> four answers -> one Assessment
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypedDict

from leuko.advice import advice_of, limits_of, situation_of
from leuko.answers import Findings, answer, headline
from leuko.causes import causes_of
from leuko.drugs import links_of
from leuko.errors import Notice, UsageError
from leuko.forecast.case import Case, Tell
from leuko.forecast.flow import forecasts_of
from leuko.forecast.wish import Wish
from leuko.infection import alert_body_of, infection_of
from leuko.knowledge import Library, load_library
from leuko.plan import plan_of
from leuko.record import Record, Sign, digest_of
from leuko.result import Assessment, Citation
from leuko.result.advice import AdviceSet
from leuko.result.causes import Cause
from leuko.result.citing import citations_in
from leuko.result.drugs import DrugLink
from leuko.result.forecast import Forecast
from leuko.result.infection import Infection
from leuko.result.plan import Plan
from leuko.result.scores import Score
from leuko.result.steps import Step
from leuko.scores import scores_of
from leuko.site import SiteSettings
from leuko.standing import Standing, standing_of
from leuko.wording import say_list
from leuko.workup import steps_of

_STOPS: Final = {"stop": "stop", "withhold": "interrupt", "contraindicated": "not to be given"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller knows beside the record.

    `symptoms` are further signs (command line, form); `answers` items of scores given by hand; `regimen` the name of
    the chemotherapy where the record has none; `site` the settings of the site; `wish` what is asked of the forecast,
    None for none. `tell` is given a line before a long step.
    """

    symptoms: tuple[Sign, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    regimen: str | None = None
    site: SiteSettings = field(default_factory=SiteSettings)
    wish: Wish | None = field(default_factory=Wish)
    tell: Tell | None = field(default=None, compare=False)


def assess(
    record: Record,
    *,
    as_of: date,
    library: Library | None = None,
    notices: Iterable[Notice] = (),
    asked: Asked | None = None,
) -> Assessment:
    """Assess one person's record as of a day.

    Counts dated after `as_of` are set aside, with a notice. `notices` are those of intake; they travel with the result.
    `asked` holds what the caller knows beside the record. Raises UsageError where either is something else.

    >>> import leuko
    >>> from datetime import date
    >>> record = leuko.read("child-long.csv").records[0]
    >>> assessment = leuko.assess(record, as_of=date(2026, 2, 10))
    >>> [answer.question for answer in assessment.answers]
    ['is_it_low', 'which_line', 'how_bad', 'since_when']
    """
    _check(record, as_of)
    library, asked = library or load_library(), asked or Asked()
    standing = standing_of(record, library=library, as_of=as_of)
    parts = _parts(record, standing, asked, library, as_of)
    findings = Findings(
        latest=standing.latest,
        courses=standing.courses,
        lines=standing.lines,
        as_of=as_of,
        stale_days=_stale_days(library),
        emergency=" ".join(filter(None, (_emergency(parts["infection"]), _watched(parts["plan"])))),
    )
    answers, courses = answer(findings), tuple(standing.courses.values())
    return Assessment(
        leuko_version=_version(),
        as_of=as_of,
        record_digest=record.digest or digest_of(record),
        knowledge_hash=library.hash,
        patient=standing.patient,
        headline=headline(findings),
        answers=answers,
        latest=tuple(standing.latest.values()),
        history=standing.every,
        lines=standing.lines,
        courses=courses,
        doses=record.doses,
        signs=(*record.signs, *asked.symptoms),
        facts=record.facts,
        **parts,
        set_aside=standing.cleaned.set_aside,
        gaps=standing.gaps,
        notices=(*notices, *standing.cleaned.notices),
        sources=_sources((answers, standing.every, standing.lines, courses, parts)),
    )


def _check(record: object, as_of: object) -> None:
    """Refuse what is easily given in place of a record or a day."""
    if not isinstance(record, Record):
        do = 'name one person: leuko.assess(leuko.read("patient.json").records[0], as_of=…)'
        raise UsageError(f"leuko.assess takes one person's record, and was given a {type(record).__name__}", do=do)
    if not isinstance(as_of, date) or isinstance(as_of, datetime):
        do = "write datetime.date(2026, 1, 31)"
        raise UsageError(f"as_of is a day, and was given as a {type(as_of).__name__}", do=do)


class _Parts(TypedDict):
    """What is concluded from the counts and the rest of the record together, by the field that holds it."""

    drug_links: tuple[DrugLink, ...]
    causes: tuple[Cause, ...]
    infection: Infection
    scores: tuple[Score, ...]
    steps: tuple[Step, ...]
    plan: Plan
    advice: AdviceSet
    forecasts: tuple[Forecast, ...]


def _parts(record: Record, standing: Standing, asked: Asked, library: Library, as_of: date) -> _Parts:
    """Each part rests on those before it: medicines, causes, infection, scores, work-up, plan, forecast, advice."""
    series, latest, courses = standing.cleaned.series, standing.latest, standing.courses
    same: Any = {"library": library, "as_of": as_of}
    links = links_of(record, series=series, courses=courses, **same)
    seen: Any = {"series": series, "latest": latest, "courses": courses, **same}
    causes = causes_of(record, lines=standing.lines, drug_links=links, **seen)
    situation = situation_of(record, latest=latest, causes=causes, **same)
    infection = infection_of(
        record,
        series=series,
        latest=latest,
        symptoms=asked.symptoms,
        alert_body=alert_body_of(asked.site.bodies, library),
        situation=situation,
        limit=limits_of(asked.site, child=situation.child, library=library).fever,
        **same,
    )
    scores = scores_of(record, series=series, latest=latest, infection=infection, answers=asked.answers or None, **same)
    told: Any = {"causes": causes, "infection": infection, "drug_links": links}
    plan = plan_of(record, scores=scores, regimen=asked.regimen, site=asked.site, **told, **seen)
    wish: Any = {"wish": asked.wish, "tell": asked.tell}
    return _Parts(
        drug_links=links,
        causes=causes,
        infection=infection,
        scores=scores,
        steps=steps_of(record, lines=standing.lines, **told, **seen),
        plan=plan,
        forecasts=()
        if asked.wish is None
        else forecasts_of(Case(record=record, lines=standing.lines, plan=plan, **wish, **told, **seen)),
        advice=advice_of(
            situation, courses=courses, causes=causes, infection=infection, library=library, site=asked.site
        ),
    )


def _emergency(infection: Infection) -> str:
    return infection.urgency.text if infection.urgency.level == "emergency" else ""


def _watched(plan: Plan) -> str:
    """What the schemes of a medicine that is still taken ask for at these counts, where they ask to stop it."""
    drugs: dict[str, list[str]] = {}
    for one in plan.monitoring:
        read = any(citation.confidence != "house" for citation in one.reason.citations)
        if one.running is not False and one.action in _STOPS and read:
            drugs.setdefault(one.drug, []).append(f"{_STOPS[one.action]} by {one.title.removeprefix(f'{one.drug}, ')}")
    said = [f"{drug[0].upper()}{drug[1:]} at these counts: {say_list(words)}." for drug, words in drugs.items()]
    return " ".join(said)


def _version() -> str:
    from leuko import __version__  # noqa: PLC0415 (the package's own front door; a cycle at module level)

    return __version__


def _stale_days(library: Library) -> float:
    """A count speaks for as long as a low stretch would be carried on without another."""
    return min((rules.hole_days for rules in library.course.values()), default=float("inf"))


def _sources(value: Any) -> tuple[Citation, ...]:
    """Every citation that the conclusions rest on, once each, in order of appearance."""
    return tuple(dict.fromkeys(citations_in(value)))
