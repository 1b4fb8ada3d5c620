"""What was learned as a row of knowledge, and as the file that `load_library` reads from a site's own folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from leuko.errors import UsageError
from leuko.forecast.learn.fitting import Learned
from leuko.forecast.learn.judge import Judgement
from leuko.forecast.learn.level import LearnedLevel
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.core import Basis
from leuko.knowledge.schema.forecast import Correlation, Error, ModelRow, Parameter
from leuko.knowledge.schema.learned import JudgedOn, LearnedFrom
from leuko.knowledge.schema.levels import LevelRow

SOURCE: Final = "own-counts"
# Rows are asked for in this order; a site's own come before what was published.
_FIRST: Final = 0
_DIGITS: Final = 6
# A correlation smaller than this says nothing, and is left out.
_LEAST: Final = 0.01


class Naming(Frozen, frozen=True, kw_only=True):
    """What the caller says of the row: its id, a name of the people, the day (ISO; empty: not told)."""

    id: str
    people: str = ""
    on: str = ""


def model_row_of(learned: Learned, judged: Sequence[Judgement], naming: Naming) -> ModelRow:
    """The row of a model that was learned. What was not learned stands as in the row where it began."""
    begun = learned.row
    whom = naming.people or "a site's own people"
    size = f"{learned.people} people, {learned.counts} counts"
    return msgspec.structs.replace(
        begun,
        id=naming.id,
        title=f"{begun.title}, learned from {whom} ({size})",
        parameters=tuple(_parameter(one, learned) for one in begun.parameters),
        correlations=tuple(_correlations(learned)),
        residual=_residual(learned),
        variability="learned",
        prefer=_FIRST,
        checks=(),
        domain=msgspec.structs.replace(
            begun.domain,
            population=f"{whom} ({size}), begun from {begun.domain.population}",
            people=learned.people,
            counts=learned.counts,
        ),
        note=" ".join(filter(None, (begun.note, *_notes(learned)))),
        learned=_from(learned, judged, naming),
        kinetics_basis=begun.kinetics_basis or begun.basis,
        basis=_basis(begun.id, size, naming),
    )


def _parameter(one: Parameter, learned: Learned) -> Parameter:
    population = learned.population
    if one.name not in population.names:
        return one
    at = population.names.index(one.name)
    return msgspec.structs.replace(
        one,
        value=_rounded(float(np.exp(population.mean[at]))),
        omega2=_rounded(float(population.omega[at, at])),
        cv=None,
        house=False,
        note=f"learned; published {one.value:g}",
    )


def _correlations(learned: Learned) -> Iterator[Correlation]:
    names, found = learned.population.names, learned.population.correlation
    for first in range(len(names)):
        for second in range(first):
            if abs(found[first, second]) >= _LEAST:
                yield Correlation(first=names[second], second=names[first], value=_rounded(float(found[first, second])))


def _residual(learned: Learned) -> Error:
    begun = learned.row.residual
    if begun is None:
        raise UsageError(f"{learned.row.id} has no residual error")
    return msgspec.structs.replace(begun, sd=_rounded(learned.population.sd), house=False, note="learned")


def _notes(learned: Learned) -> Iterator[str]:
    kept = [one.name for one in learned.row.parameters if one.name not in learned.population.names]
    yield f"Not learned, as published: {', '.join(kept)}." if kept else ""
    poor = [n for n, s in zip(learned.population.names, learned.shrinkage, strict=True) if s > 0.5]
    yield f"People's counts told little of how {', '.join(poor)} differs between them." if poor else ""


def _from(learned: Learned, judged: Sequence[Judgement], naming: Naming) -> LearnedFrom:
    names, error = learned.population.names, learned.uncertainty
    return LearnedFrom(
        begun=learned.row.id,
        people=learned.people,
        counts=learned.counts,
        digest=learned.digest,
        on=naming.on,
        seed=learned.seed,
        rounds=learned.rounds,
        settled=learned.settled,
        prior_people=learned.weight,
        evidence=_rounded(learned.evidence),
        evidence_before=_rounded(learned.evidence_before),
        errors={**_named(names, error.mean), "residual": _rounded(error.sd)},
        shrinkage=_named(names, learned.shrinkage),
        validation=tuple(_judged(one) for one in judged),
        said=learned.said,
    )


def _named(names: Sequence[str], values: Any) -> dict[str, float]:
    return {name: _rounded(float(value)) for name, value in zip(names, values, strict=True)}


def _judged(one: Judgement) -> JudgedOn:
    half, most, nearly = (_rounded(share) for _, share in one.score.coverage)
    return JudgedOn(
        name=one.name,
        people=one.score.people,
        counts=one.score.count,
        log_score=_rounded(one.log_score),
        log_rmse=_rounded(one.score.log_rmse),
        crps_log=_rounded(one.score.crps_log),
        coverage=(half, most, nearly),
    )


def _basis(begun: str, size: str, naming: Naming) -> Basis:
    return Basis(
        source=SOURCE,
        locator=f"{size}{', ' + naming.on if naming.on else ''}",
        confidence="house",
        says=f"Learned from the site's own counts, begun from {begun}; judged on people it was not learned from.",
    )


def level_row_of(learned: LearnedLevel, naming: Naming) -> LevelRow:
    """The row of a level that was learned."""
    begun, level = learned.row, learned.level
    whom = naming.people or "a site's own people"
    size = f"{learned.people} people, {learned.counts} counts"
    numbers = {
        name: _rounded(getattr(level, name))
        for name in ("level", "level_sd", "drift", "tau", "swing", "noise", "tails")
    }
    made = LearnedFrom(
        begun=begun.id,
        people=learned.people,
        counts=learned.counts,
        digest=learned.digest,
        on=naming.on,
        prior_people=learned.weight,
        evidence=_rounded(learned.evidence),
        evidence_before=_rounded(learned.evidence_before),
        validation=tuple(_judged(one) for one in learned.judged),
    )
    return msgspec.structs.replace(
        begun,
        id=naming.id,
        title=f"{begun.title}, learned from {whom} ({size})",
        people=learned.people,
        counts=learned.counts,
        learned=made,
        basis=_basis(begun.id, size, naming),
        **numbers,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def check_id(name: str, library: Library) -> str:
    """The id, if no row of that kind has it already and it can stand in a file."""
    taken = {row.id for row in library.rows(ModelRow)} | {row.id for row in library.rows(LevelRow)}
    if name in taken:
        raise UsageError(
            f"a model {name} is on file already",
            why="an id names one row; what is learned stands beside what was published",
            do="choose another name for the file (its name is the id)",
        )
    return name


def toml_of(row: ModelRow | LevelRow) -> str:
    """The text of a file with this row alone."""
    import rtoml  # noqa: PLC0415 (only to write)

    head = "# Written by leuko learn from a site's own counts. Read with --knowledge FOLDER from FOLDER/models.\n"
    return head + rtoml.dumps({row.KEY: [_plain(row)]})


def _plain(value: Any) -> Any:
    """A row without what stands at its default."""
    if isinstance(value, msgspec.Struct):
        return dict(_fields(value))
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def _fields(row: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for one in msgspec.structs.fields(row):
        value = getattr(row, one.name)
        default = one.default_factory() if one.default_factory is not msgspec.NODEFAULT else one.default
        if value is not None and value != default:
            yield one.encode_name, _plain(value)


def write(row: ModelRow | LevelRow, path: Path) -> None:
    """Write the file. Raises UsageError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(toml_of(row), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written", why=str(error), do="name another file") from error
