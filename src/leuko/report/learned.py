"""What `leuko learn` found, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import exp

import msgspec

from leuko.forecast.learn.fitting import Learned
from leuko.knowledge.schema.forecast import ModelRow
from leuko.knowledge.schema.learned import JudgedOn, LearnedFrom
from leuko.knowledge.schema.levels import LevelRow


def as_json(row: ModelRow | LevelRow, said: Sequence[str]) -> str:
    """The row that was learned, and what was said of the tables."""
    return json.dumps({"row": msgspec.to_builtins(row), "said": list(said)}, indent=2, ensure_ascii=False)


def model_text(row: ModelRow, learned: Learned) -> str:
    """Published and learned values side by side, then how both told people they were not learned from."""
    head = f"{'':<28}{'published':>10}{'learned':>10}{'error':>9}{'spread, was':>13}{'is':>7}{'shrinkage':>11}"
    error = f"{'residual error':<28}{learned.published.sd:>10.3g}{learned.population.sd:>10.3g}"
    return "\n".join(
        [row.title, "", head, *_values(learned), f"{error}{learned.uncertainty.sd:>9.1%}", *_rest(row.learned)]
    )


def _values(learned: Learned) -> Iterator[str]:
    before, after = learned.published, learned.population
    for at, name in enumerate(after.names):
        yield (
            f"{name:<28}{exp(before.mean[at]):>10.4g}{exp(after.mean[at]):>10.4g}"
            f"{learned.uncertainty.mean[at]:>9.1%}{before.spread[at]:>13.2f}{after.spread[at]:>7.2f}"
            f"{learned.shrinkage[at]:>11.0%}"
        )


def level_text(row: LevelRow, begun: LevelRow) -> str:
    """The level where it began and as learned, side by side."""
    names = ("level", "level_sd", "drift", "tau", "swing", "noise", "tails")
    lines = [f"{name:<28}{getattr(begun, name):>10.4g}{getattr(row, name):>10.4g}" for name in names]
    return "\n".join([row.title, "", f"{'':<28}{'began':>10}{'learned':>10}", *lines, *_rest(row.learned)])


def _rest(learned: LearnedFrom | None) -> Iterator[str]:
    if learned is None:
        return
    yield ""
    yield (
        f"log evidence of all counts {learned.evidence_before:.1f} -> {learned.evidence:.1f}; "
        f"{learned.people} people, {learned.counts} counts, sha256 {learned.digest[:12]}"
    )
    yield from learned.said
    yield ""
    if not learned.validation:
        yield "not judged on people it was not learned from"
        return
    told = "told the next count of people it did not learn from"
    yield f"{told:<54}{'log score':>10}{'log-RMSE':>10}{'CRPS':>8}  50/80/95 %"
    yield from (_judged(one) for one in learned.validation)


def _judged(one: JudgedOn) -> str:
    shares = "/".join(f"{share:.0%}".rstrip("%") for share in one.coverage)
    named = f"{one.name} ({one.people} people, {one.counts} counts)"
    return f"{named:<54}{one.log_score:>10.3f}{one.log_rmse:>10.3f}{one.crps_log:>8.3f}  {shares}"
