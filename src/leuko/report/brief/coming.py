"""What is to come, in brief: the forecast in a sentence or two, and what each way to go on would cost."""

from __future__ import annotations

from collections.abc import Iterator

from leuko.report.blocks import Line
from leuko.report.brief.passage import Passage
from leuko.report.coming import option_words
from leuko.result import Assessment
from leuko.result.forecast import Forecast
from leuko.wording import say_chance, say_number


def coming(assessment: Assessment) -> Passage:
    """Each forecast; where there is none, why."""
    found = assessment.forecasts
    told = any(one.outcome is not None for one in found)
    return Passage(
        title="What is to come",
        lines=tuple(line for one in found for line in _lines(one)),
        left="what each way costs, models, assumptions, the course by day" if told else "",
    )


def _lines(one: Forecast) -> Iterator[Line]:
    if one.outcome is None:
        yield Line(text=one.headline, tone="unsure")
        return
    yield Line(text=one.headline)
    yield from (Line(text=text, label="caution", tone="unsure") for text in one.cautions)
    yield from (Line(text=gap.why, label="open", tone="unsure") for gap in one.gaps)
    if one.options and one.severe_cut is not None:
        yield Line(text=_options(one), label=f"next cycle, chance to fall below {say_number(one.severe_cut)}")


def _options(one: Forecast) -> str:
    rows = [option_words(each, one.severe_cut) for each in one.options]
    return "; ".join(f"{_brief(row.text)} {say_chance(row.option.severe)}" for row in rows)


def _brief(text: str) -> str:
    """An option without its day, which the full view has."""
    words = text.partition(", on ")[0]
    return f"{words[0].lower()}{words[1:]}"
