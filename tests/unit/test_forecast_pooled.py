"""A population posterior from records of kinetics and counts: records read, kinetics by hand, the truth found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from leuko.errors import UnreadableInput
from leuko.forecast.score.pooled import concentrations, kinetics_of, pooled
from leuko.forecast.score.records import NEEDED, Recorded, find_records
from leuko.forecast.score.table import read_counts
from leuko.knowledge import load_library
from leuko.knowledge.schema.truth import PooledRow

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
ROW = load_library().rows(PooledRow)[0]
OWN = {"cl": 9.0, "q2": 14.0, "v1": 36.0, "v2": 100.0, "ka": 2.0}


def test_concentrations_are_those_of_the_equations() -> None:
    def rates(_: float, x: np.ndarray) -> list[float]:
        flow = OWN["q2"] * (x[1] / OWN["v1"] - x[2] / OWN["v2"])
        return [-OWN["ka"] * x[0], OWN["ka"] * x[0] - OWN["cl"] / OWN["v1"] * x[1] - flow, flow]

    one = solve_ivp(rates, (0, 12), [1000.0, 0, 0], rtol=1e-10, atol=1e-10).y[:, -1]
    two = solve_ivp(rates, (0, 5), [one[0] + 1000.0, one[1], one[2]], rtol=1e-10, atol=1e-10).y[:, -1]
    found = concentrations(OWN, np.array([0.0, 12.0]), np.array([1000.0, 1000.0]), np.array([17.0]))
    assert found[0] == pytest.approx(two[1] / OWN["v1"], rel=1e-6)


def person(own: dict[str, float], noise: np.ndarray) -> Recorded:
    hours = np.array([0.5, 1, 2, 4, 8, 12.5, 16, 24, 36])
    doses = np.arange(0, 48, 12.0)
    told = concentrations(own, doses, np.full(4, 80000.0), hours)
    return Recorded(
        name="a",
        weight=70.0,
        dose_hours=doses,
        amounts=np.full(4, 80000.0),
        conc_hours=hours,
        concs=told * np.exp(noise),
        count_hours=np.zeros(1),
        counts=np.ones(1),
    )


def test_the_most_probable_kinetics_are_near_those_that_made_the_concentrations() -> None:
    found = dict(zip(ROW.kinetics, kinetics_of(ROW, person(OWN, np.zeros(9))), strict=True))
    assert found["cl"] == pytest.approx(OWN["cl"], rel=0.05)
    assert found["ka"] == ROW.kinetics["ka"]


def write(folder: Path) -> None:
    rows = [
        "1,0,0,0,,,70,,5.0",
        "1,0,80000,1,12,2,70,,",
        "1,6,0,0,,,70,110.5,4.1",
        "2,0,80000,1,,,60,,",
        "2,8,0,0,,,60,90,",
    ]
    folder.joinpath("r.csv").write_text("\n".join([",".join(NEEDED), *rows]))


def test_records_are_read_with_their_further_doses(tmp_path: Path) -> None:
    write(tmp_path)
    first, second = find_records(tmp_path)
    assert list(first.dose_hours) == [0, 12, 24]
    assert list(first.count_hours) == [0, 6]
    assert list(first.concs) == [110.5]
    assert (second.weight, list(second.dose_hours), second.counts.size) == (60, [0], 0)


def test_hours_of_records_are_never_taken_for_days(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(UnreadableInput):
        read_counts(tmp_path)


@pytest.mark.shared
def test_the_posterior_of_the_eight_people_that_torsten_prints() -> None:
    folder = SHARED / "data" / "torsten"
    if not folder.exists():
        pytest.skip("the records of Torsten's example lie beside the checkout only where they were put")
    found, checks = pooled(ROW, find_records(folder), quick=True, seed=1)
    assert all(one.agreement < 1.2 for one in found)
    assert {one.what for one in checks if one.passes} >= {"residual", "gamma"}
    assert all(one.holds for one in checks)
