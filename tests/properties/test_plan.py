"""What must hold of every rule of the plan: fewer cells never make it more permissive, and bounds never decide more."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.plans import LIBRARY, count, day, plan, record
from leuko.knowledge.schema.plan import MonitorBand, MonitorScheme, TreatDayRow
from leuko.plan.limits import speak, strictness

VALUES = sorted(
    {round(v * 0.05, 2) for v in range(81)} | {0.19, 0.44, 0.45, 0.49, 0.99, 1.19, 1.2, 1.49, 1.51, 1.8, 1.99}
)


def tables() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in LIBRARY.rows(TreatDayRow):
        if row.basis.drives and row.limits and row.action not in {"escalate", "titrate"}:
            found.setdefault(f"treat:{row.table}:{row.checkpoint}", []).append(row)
    driving = {scheme.id for scheme in LIBRARY.rows(MonitorScheme) if scheme.basis.drives}
    for band in LIBRARY.rows(MonitorBand):
        if band.basis.drives and band.scheme in driving and not band.at_start:
            found.setdefault(f"monitor:{band.scheme}", []).append(band)
    return found


TABLES = tables()


def told(lines: list[Any], anc: float | str, others: float) -> Any:
    names = {name for line in lines for name in line.limits}
    counts = {name: count(0, name, anc if name == "neutrophils" else others) for name in names}
    otherwise = {line.id: line.otherwise for line in lines if getattr(line, "otherwise", None)}
    return speak(lines, counts, otherwise)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("others", [4.0, 60.0, 80.0, 400.0])
def test_a_lower_neutrophil_count_never_meets_a_milder_verdict(name: str, others: float) -> None:
    verdicts = [told(TABLES[name], value, others).verdict for value in VALUES]
    said = [verdict for verdict in verdicts if verdict != "cannot_say"]
    for low, high in pairwise(said):
        assert strictness(low) >= strictness(high)


@pytest.mark.parametrize("name", TABLES)
@given(value=st.sampled_from(VALUES), bound=st.sampled_from(["<", "<=", ">", ">="]))
def test_a_bound_never_decides_what_a_value_inside_it_would_not(name: str, value: float, bound: str) -> None:
    found = told(TABLES[name], f"{bound}{value}", 400.0)
    if found.verdict == "cannot_say":
        return
    inside = [v for v in VALUES if (v < value if bound == "<" else v <= value if bound == "<=" else v > value)]
    for one in inside:
        exact = told(TABLES[name], one, 400.0).verdict
        assert exact == "cannot_say" or strictness(exact) >= strictness(found.verdict) or bound in {">", ">="}
        assert exact != "cannot_say" or bound in {">", ">="} or found.verdict != "not_barred"


@given(anc=st.sampled_from(VALUES), lower=st.sampled_from(VALUES), drug=st.sampled_from(["docetaxel", "clozapine"]))
def test_a_whole_plan_is_no_milder_for_a_lower_count(anc: float, lower: float, drug: str) -> None:
    def strictest(value: float) -> int:
        known = record(counts=[[21, {"neutrophils": value}]], doses=[[0, drug, {"status": "active", "given": False}]])
        found = plan(known, day(21))
        said = [one.verdict for one in found.treat_days if one.checkpoint == "day_1"]
        said += [one.action for one in found.monitoring if one.scheme == "clozapine-us"]
        return max((strictness(one) for one in said if one != "cannot_say"), default=-1)

    if lower < anc:
        assert strictest(lower) >= strictest(anc)


@given(
    starts=st.lists(st.integers(0, 60), min_size=1, max_size=5),
    drugs=st.lists(st.sampled_from(["docetaxel", "cyclophosphamide", "etoposide", "nonsense"]), min_size=1, max_size=3),
    as_of=st.integers(0, 150),
)
def test_any_mix_of_doses_gives_a_plan_and_never_a_regimen_with_other_drugs(
    starts: list[int], drugs: list[str], as_of: int
) -> None:
    found = plan(record(doses=[[start, drug] for start in starts for drug in drugs]), day(as_of))
    if found.regimen.told == "drugs":
        assert set(found.regimen.drugs) <= set(drugs)
    assert found.regimen.text
