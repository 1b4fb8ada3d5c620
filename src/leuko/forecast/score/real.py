"""Forecasts judged on the counts of real people: leuko's own level beside the naive forecasters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from leuko.errors import UnreadableInput
from leuko.forecast.library import level_row, model_row
from leuko.forecast.score.forecasters import Forecaster, OwnLevel, naive_forecasters
from leuko.forecast.score.paired import Losses, Paired, losses_of, paired
from leuko.forecast.score.rolling import Horizon, scored, trials
from leuko.forecast.score.rules import Score
from leuko.forecast.score.table import Table, read_counts
from leuko.forecast.state_space import Level
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.learned import TreatedRow
from leuko.knowledge.schema.levels import JudgeRow, LevelRow


class Judged(Frozen, frozen=True, kw_only=True):
    """What was judged: people and counts of the table, what was left out, the scores, and who did better than whom."""

    source: str
    people: int
    counts: int
    said: tuple[str, ...]
    scores: tuple[Score, ...]
    paired: tuple[Paired, ...] = ()


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
    treated, told = _treated(folder, table, library=library, quick=quick, said=said)
    shipped = level_of(level_row("maintenance", library))
    found: list[Score] = []
    against: list[Paired] = []
    for row in rows:
        forecasters: tuple[Forecaster, ...] = (
            OwnLevel(level=shipped, name="leuko, learned on the other half"),
            OwnLevel(level=shipped, name="leuko, as shipped", fixed=True),
            *treated,
            *naive_forecasters(row.smoothing),
        )
        horizon = Horizon(name=row.title, least=row.least, most=row.most)
        lost: list[Losses] = []
        for trial in trials(table.people, forecasters, (horizon,), resolution=table.resolution, said=said):
            found.append(scored(trial, cut=row.severe))
            lost.append(losses_of(trial.told, forecaster=trial.forecaster, horizon=trial.horizon, people=trial.people))
        against += _against(lost, [one.name for one in treated])
    counts = sum(len(series) for series in table.people.values())
    return Judged(
        source=folder.name,
        people=len(table.people),
        counts=counts,
        said=(*told, *table.said),
        scores=tuple(found),
        paired=tuple(against),
    )


def _against(lost: Sequence[Losses], marrows: Sequence[str]) -> Iterator[Paired]:
    """The level against the weighted mean; those with a marrow model against both."""
    level, naive = lost[0], lost[-1]
    yield from paired(level, naive)
    for one in lost:
        if one.forecaster in marrows:
            yield from paired(one, naive)
            yield from paired(one, level)


def _treated(
    folder: Path, table: Table, *, library: Library, quick: bool, said: Callable[[str], None]
) -> tuple[tuple[Forecaster, ...], tuple[str, ...]]:
    """The marrow model with doses, where the data hold them and time allows, and what has to be said of it."""
    from leuko.forecast.learn.people import cohort_of  # noqa: PLC0415 (it stands on this module)
    from leuko.forecast.score.treated import forecasters_of  # noqa: PLC0415 (it stands on this module)

    row = library.rows(TreatedRow)[0]
    try:
        cohort = cohort_of(folder, row=model_row(row.model, library), library=library)
    except UnreadableInput as error:
        return (), (f"the marrow model is not judged on these data: {error.what}",)
    doses = {person.name: person.schedule for person in cohort.people}
    if without := len(set(table.people) - set(doses)):
        return (), (f"the marrow model is not judged on these data: {without} people have no doses",)
    if quick:
        return (), ("the marrow model with doses takes minutes: it is judged without --quick",)
    return forecasters_of(row, table.people, doses, library=library, said=said), ()


def _sample(table: Table, people: int) -> Table:
    every = max(1, round(len(table.people) / people))
    names = sorted(table.people)[::every]
    words = f"a fair sample: every {every} of {len(table.people)} people" if every > 1 else ""
    kept = {name: table.people[name] for name in names}
    return replace(table, people=kept, said=(*table.said, *filter(None, (words,))))
