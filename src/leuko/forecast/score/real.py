"""Forecasts judged on the counts of real people: leuko's own level beside the naive forecasters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from leuko.forecast.score.forecasters import Forecaster, OwnLevel, naive_forecasters
from leuko.forecast.score.rolling import Horizon, judge
from leuko.forecast.score.rules import Score
from leuko.forecast.score.table import Table, read_counts
from leuko.forecast.state_space import Level
from leuko.knowledge import Library
from leuko.knowledge.schema.levels import JudgeRow, LevelRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was judged: people and counts of the table, what was left out, the scores, the level that was shipped."""

    source: str
    people: int
    counts: int
    said: tuple[str, ...]
    scores: tuple[Score, ...]


def level_of(row: LevelRow) -> Level:
    """The numbers of a row, without a rhythm."""
    return Level(
        level=row.level,
        level_sd=row.level_sd,
        drift=row.drift,
        tau=row.tau,
        swing=row.swing,
        noise=row.noise,
        tails=row.tails,
    )


def judged(
    folder: Path, *, library: Library, quick: bool = False, said: Callable[[str], None] = lambda _: None
) -> Judged:
    """Rolling forecasts of every horizon of the knowledge (rows `judge`) on a table of counts.

    The level is learned on one half of the people and judged on the other; as shipped, it is judged beside. `quick`
    takes a fair sample of the people: every so-many-th of their sorted names. UnreadableInput where there is no table.
    """
    table = read_counts(folder)
    rows = library.rows(JudgeRow)
    if quick:
        table = _sample(table, rows[0].quick_people)
    shipped = level_of(next(row for row in library.rows(LevelRow) if row.use == "maintenance"))
    found: list[Score] = []
    for row in rows:
        forecasters: tuple[Forecaster, ...] = (
            OwnLevel(level=shipped, name="leuko, learned on the other half"),
            OwnLevel(level=shipped, name="leuko, as shipped", fixed=True),
            *naive_forecasters(row.smoothing),
        )
        horizon = Horizon(name=row.title, least=row.least, most=row.most)
        found += judge(table.people, forecasters, (horizon,), cut=row.severe, resolution=table.resolution, said=said)
    counts = sum(len(series) for series in table.people.values())
    return Judged(source=folder.name, people=len(table.people), counts=counts, said=table.said, scores=tuple(found))


def _sample(table: Table, people: int) -> Table:
    every = max(1, round(len(table.people) / people))
    names = sorted(table.people)[::every]
    words = f"a fair sample: every {every} of {len(table.people)} people" if every > 1 else ""
    kept = {name: table.people[name] for name in names}
    return replace(table, people=kept, said=(*table.said, *filter(None, (words,))))
