"""The latest counts in one table with their grades, and what must be known beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from leuko.frozen import Frozen
from leuko.record import Moment
from leuko.report.blocks import Line, said
from leuko.report.brief.passage import Passage, first_few, left_out, number
from leuko.report.outline import POSITIONS, SHORT_ORIGINS, grade_words, interval_words, short_interval
from leuko.result import Assessment, Grade, Reason, Status
from leuko.wording import say_bounded, say_count, say_date, say_list, say_unit

NO_RULE: Final = "-"
OPEN: Final = "?"


class CountTable(Frozen, frozen=True, kw_only=True):
    """The latest counts: `columns` name the cells of each row; the day stands in the title, or by the count."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Status, tuple[str, ...]], ...]


def count_table(assessment: Assessment) -> CountTable:
    """One row a count; the grades of one scheme stand in one cell, in the order of its editions."""
    schemes = sorted({(grade.scheme, grade.edition) for status in assessment.latest for grade in status.grades})
    grouped = [(scheme, [edition for _, edition in same]) for scheme, same in groupby(schemes, key=lambda one: one[0])]
    day = _latest_day(assessment.latest)
    origins = {status.interval.origin for status in assessment.latest}
    common = SHORT_ORIGINS[origins.pop()] if len(origins) == 1 else ""
    heads = tuple(f"{scheme.upper()}\n{'/'.join(editions)}" for scheme, editions in grouped)
    return CountTable(
        title="Latest counts" + (f", {day}" if day else ""),
        columns=("Count", "Value", "Position", f"Reference\n({common})" if common else "Reference", *heads),
        rows=tuple((status, (*_cells(status, day, common), *_grades(status, grouped))) for status in assessment.latest),
    )


def _latest_day(latest: Sequence[Status]) -> str:
    moments = [status.count.taken for status in latest if status.count.taken is not None]
    return _day(max(moments, key=lambda moment: moment.day)) if moments else ""


def _day(moment: Moment | None) -> str:
    return "no day" if moment is None else say_date(moment.day)


def _cells(status: Status, day: str, common: str) -> tuple[str, ...]:
    """Name, value, position and interval; whose interval it is stands in the heading where it is `common` to all."""
    count = status.count
    own = "" if _day(count.taken) == day else f" ({_day(count.taken)})"
    interval = interval_words(status.interval) if common else short_interval(status.interval)
    value = f"{say_bounded(count.value, count.bound)} {say_unit(count.unit)}"
    return (f"{status.label}{own}", value, POSITIONS[status.position], interval)


def _grades(status: Status, grouped: Sequence[tuple[str, list[str]]]) -> Iterator[str]:
    own = {(grade.scheme, grade.edition): grade for grade in status.grades}
    for scheme, editions in grouped:
        cells = [_short(own.get((scheme, edition))) for edition in editions]
        yield NO_RULE if set(cells) == {NO_RULE} else "/".join(cells)


def _short(grade: Grade | None) -> str:
    if grade is None:
        return NO_RULE
    if grade.value is None and (grade.least is None or grade.most is None):
        return OPEN
    return grade_words(grade).replace(" or ", "-").replace(" to ", "-")


def beside(assessment: Assessment) -> Passage:
    """Critical values, conflicts and which counts were not measured themselves; the rest of the remarks counted."""
    latest = assessment.latest
    lines = [line for status in latest for line in _critical(status)]
    lines += [said(each, status.label, "unsure") for status in latest for each in status.conflicts if not _shift(each)]
    derived = [status.label for status in latest if status.count.kind == "derived"]
    lines += [Line(text=say_list(derived), label="derived from other counts")] if derived else []
    if any(OPEN in cell for _, cells in count_table(assessment).rows for cell in cells[4:]):
        lines.append(Line(text="cannot be graded", label=OPEN, tone="quiet"))
    earlier = len(assessment.history) - len(latest)
    left = left_out((number(earlier, "earlier count", "earlier counts"), "the curve", "what each grade rests on"))
    return Passage(title="Latest counts", lines=tuple(lines), left=left if latest else "")


def _critical(status: Status) -> Iterator[Line]:
    met = [one for one in status.critical if one.met]
    names = list(dict.fromkeys(one.name for one in met))
    whose = first_few(dict.fromkeys(one.authority for one in met if one.authority))
    if names:
        text = f"{status.label} {say_count(status.count)}: {say_list(names)}{f' ({whose})' if whose else ''}"
        yield Line(text=text, label="critical", tone="alert")


def _shift(reason: Reason) -> bool:
    """Whether a conflict only says that editions of one scheme differ: the table shows that."""
    return reason.rule.startswith("shift:")
