"""What all panels of the figure share: the stretch of time, the theme, the width, and how times are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from leuko.frozen import Frozen
from leuko.report.series import Point
from leuko.report.themes import Theme
from leuko.result import Assessment

Spec = dict[str, Any]
PLAIN: Final[Spec] = {"type": "nominal", "scale": None, "legend": None}
STRUCK: Final = frozenset({"set_aside", "superseded"})
YEARLY = timedelta(days=365 * 6)
MONTHLY = timedelta(days=500)
FEWEST_DAYS: Final = timedelta(days=10)


class Frame(Frozen, frozen=True, kw_only=True):
    """The stretch of time that is drawn, the day of the assessment, the theme, the width [px]."""

    start: datetime
    end: datetime
    as_of: datetime
    theme: Theme
    width: int

    @classmethod
    def of(cls, assessment: Assessment, rows: Iterable[Point], theme: Theme, width: int) -> Frame:
        """The stretch that holds every count that is used, and the day of the assessment where it lies near."""
        as_of = datetime.combine(assessment.as_of, datetime.min.time())
        times = [row.at for row in rows if row.at is not None and row.mark not in STRUCK] or [as_of]
        first, last = min(times), max(times)
        span = last - first
        # A year without counts before the assessment would squeeze the rest: then its day is left out.
        near = as_of - last <= max(span, FEWEST_DAYS) * 0.3
        end = max(last, as_of) if near else last
        # A single day is drawn with days around it, so that the axis has dates to show.
        pad = max(span * 0.04, (FEWEST_DAYS - (end - first)) / 2)
        return cls(start=first - pad, end=end + pad, as_of=as_of, theme=theme, width=width)

    def span(self) -> Spec:
        """An invisible layer that holds the axis to the whole stretch.

        A written domain would do, but Vega-Lite turns a temporal one into expressions that its own merge of layers
        reports as a conflict, and that the interpreter does not read.
        """
        return {
            "data": {"values": [{"at": stamp(self.start)}, {"at": stamp(self.end)}]},
            "mark": {"type": "point", "opacity": 0},
            "encoding": {"x": self.time()},
        }

    def time(self, *, grid: bool = True) -> Spec:
        """The x channel of a panel."""
        span = self.end - self.start
        days = "%Y" if span > YEARLY else "%b %Y" if span > MONTHLY else "%-d %b %Y"
        return {
            "field": "at",
            "type": "temporal",
            "title": None,
            "scale": {"type": "utc", "nice": False},
            "axis": {"tickCount": {"expr": "width / 110"}, "labelOverlap": True, "grid": grid, "format": days},
        }

    def holds(self, at: datetime | None) -> bool:
        """Whether a time lies on the axis."""
        return at is not None and self.start <= at <= self.end


def stamp(at: datetime | None) -> int:
    """The source's own clock, read as UTC, in milliseconds since 1970: on a UTC axis no browser shifts a day."""
    return 0 if at is None else round(at.replace(tzinfo=UTC).timestamp() * 1000)
