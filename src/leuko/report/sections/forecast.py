"""What is to come: the present cycle, ways to go on, and what the forecast rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Final

from leuko.report.blocks import Entry, Group, Line, Section, Table, Tone, cell, said, sentence
from leuko.report.coming import (
    UNIT,
    daily,
    day_words,
    never_words,
    option_cells,
    option_columns,
    option_words,
    spread_words,
)
from leuko.report.sections.why import gap_line
from leuko.result import Assessment
from leuko.result.forecast import AtCut, Forecast, ModelUsed, Outcome
from leuko.wording import say_about, say_chance, say_date, say_number

FITS: Final = {
    "inside": "this person lies in its domain",
    "soft": "at the edge of its domain",
    "outside": "outside its domain",
}
NARROW_OPTIONS: Final = (0, 1, 3, 6, 5)
ASSUMED: Final = (
    "Figures are of the true count, as far as the models hold; brackets hold the central 80 %. Nothing here is advice."
)


def forecast(assessment: Assessment) -> Section:
    """One group of groups for each forecast; a forecast that is withheld says why."""
    found = assessment.forecasts
    return Section(
        id="forecast",
        title="What is to come",
        lead=tuple(line for one in found for line in _lead(one)),
        groups=tuple(group for one in found for group in _groups(assessment, one)),
    )


def _lead(one: Forecast) -> Iterator[Line]:
    tone: Tone = "plain" if one.outcome is not None else "unsure"
    yield Line(text=sentence(one.headline), tone=tone, citations=one.reason.citations, evidence=one.reason.evidence)
    if one.outcome is not None:
        yield Line(text=ASSUMED, tone="quiet")
    yield from (Line(text=text, label="caution", tone="unsure") for text in one.cautions)
    yield from (gap_line(gap) for gap in one.gaps)


def _groups(assessment: Assessment, one: Forecast) -> Iterator[Group]:
    if one.outcome is not None and one.start is not None:
        title = "The present cycle, as if nothing further were given" if one.next_dose else "The course"
        yield Group(title=title, table=_course(one, one.outcome, one.start))
        yield Group(title="Chances", table=_chances(one.outcome))
    if one.options:
        when = say_date(one.next_dose) if one.next_dose is not None else ""
        yield Group(title=f"Ways to go on with the next cycle, planned for {when}", table=_options(one))
    if one.front:
        yield Group(title="What a search found", table=_front(one))
    yield Group(
        title="What the forecast rests on",
        entries=(*(_model(used, one) for used in one.models), *_rest(assessment, one)),
        shown=0,
        folded="Models, doses, how it was found, the course day by day",
    )


def _course(one: Forecast, outcome: Outcome, start: datetime) -> Table:
    rows = [
        _row("lowest count", f"{spread_words(outcome.nadir)} {UNIT}", day_words(start, outcome.nadir_day), ""),
        *(_row(*_cut(at, start)) for at in outcome.cuts),
    ]
    if one.method == "marrow":
        rows.append(_row("own count without treatment", "", day_words(start, outcome.recovery_baseline), ""))
    return Table(columns=("What", "How likely, how low", "Back, or when", "Days below"), rows=tuple(rows))


def _cut(at: AtCut, start: datetime) -> tuple[str, str, str, str]:
    back = day_words(start, at.recovery)
    late = never_words(at)
    return (
        f"below {say_number(at.cut)} {UNIT}",
        say_chance(at.below),
        f"{back}; {late}" if late else back,
        spread_words(at.days_below, days=True),
    )


def _row(*words: str) -> tuple[Line, ...]:
    return tuple(cell(text) for text in words)


def _chances(outcome: Outcome) -> Table:
    rows = tuple((cell(sentence(one.text), one.reason), cell(say_chance(one.probability))) for one in outcome.chances)
    return Table(columns=("What", "Probability"), rows=rows)


def _options(one: Forecast) -> Table:
    return Table(
        columns=option_columns(one),
        rows=tuple(_option_row(each, one) for each in one.options),
        caption="Beaten: another way is at least as good in severe counts, dose, delay and growth factor.",
        narrow=NARROW_OPTIONS,
    )


def _front(one: Forecast) -> Table:
    rows = tuple(_option_row(each, one) for each in one.front)
    return Table(columns=option_columns(one), rows=rows, caption=sentence(one.front_text), narrow=NARROW_OPTIONS)


def _option_row(each: object, one: Forecast) -> tuple[Line, ...]:
    words = option_words(each, one.severe_cut)  # type: ignore[arg-type]
    first, *others = option_cells(words)
    return (cell(first, words.option.reason), *(cell(text) for text in others))


def _model(used: ModelUsed, one: Forecast) -> Entry:
    weight = f"{say_chance(used.weight)} of the weight" if one.outcome is not None else "tried, and not used"
    return Entry(
        title=used.title,
        tag=f"{weight}; {FITS[used.domain]}",
        tone="plain" if used.domain == "inside" else "unsure",
        citations=used.reason.citations,
        lines=(Line(text=sentence(used.domain_text)),),
        more=tuple(Line(text=text, label="check") for text in used.checks),
        tables=(_estimates(used, one),) if used.estimates and one.outcome is not None else (),
    )


def _estimates(used: ModelUsed, one: Forecast) -> Table:
    """Prior and posterior of each parameter that varies between people."""
    told = one.fitting is not None and one.fitting.counts_used > 0
    rows = tuple(
        _row(
            f"{each.name} [{each.unit}]" if each.unit else each.name,
            *map(_range, (each.prior, each.posterior)),
            say_chance(each.learned) if told else "no count",
        )
        for each in used.estimates
    )
    return Table(
        columns=("Parameter", "People of the model (prior)", "This person, given the counts (posterior)", "Learned"),
        rows=rows,
        caption="Parameters: median, and the central 80 %. Learned: the share of the variance between people that the"
        " counts of this person took away.",
    )


def _range(ends: tuple[float, float, float]) -> str:
    low, middle, high = (f"{end:.3g}" for end in ends)
    return f"{middle} ({low} to {high})"


def _rest(assessment: Assessment, one: Forecast) -> Iterator[Entry]:
    lines = [Line(text=sentence(text), label="assumed") for text in one.dosing]
    if one.fitting is not None:
        lines.append(Line(text=one.fitting.text, label="found by", tone="plain" if one.fitting.sound else "alert"))
    if one.fan is not None:
        lines.append(Line(text=sentence(one.fan_text), label="drawn"))
    rules = [said(each.reason, each.text) for each in one.options]
    fan = one.fan
    tables: tuple[Table, ...] = ()
    if fan is not None and one.outcome is not None:
        since = datetime.combine(assessment.as_of, time(), tzinfo=fan.times[0].tzinfo)
        columns = ("Day", "Median", "Central 50 %", "Central 80 %", "Central 95 %")
        cuts = tuple(f"Below {say_number(cut)}" for cut, _ in fan.below)
        rows = tuple(
            _row(
                say_date(row.at),
                say_about(row.median),
                *(f"{say_about(low)} to {say_about(high)}" for low, high in (row.inner, row.middle, row.outer)),
                *(say_chance(share) for _, share in row.below),
            )
            for row in daily(fan, since=since)
        )
        caption = f"The course day by day, {one.fan_text} [{UNIT}]"
        tables = (Table(columns=(*columns, *cuts), rows=rows, caption=caption, narrow=(0, 1, 3, 6)),)
    yield Entry(title="Doses, method and days", lines=(*lines, *rules), tables=tables)
