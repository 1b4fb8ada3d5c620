"""Scores of forecasts on distributions whose scores are known, and rolling forecasts of people made up for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leuko.errors import UnreadableInput
from leuko.forecast.model import Floats
from leuko.forecast.score.forecasters import OwnLevel, naive_forecasters, smoothed
from leuko.forecast.score.paired import Losses, paired
from leuko.forecast.score.real import judged
from leuko.forecast.score.rolling import Horizon, halves, judge, pairs_of
from leuko.forecast.score.rules import Told, crps, pit_of, score
from leuko.forecast.score.table import read_counts
from leuko.forecast.state_space import Level, Series
from leuko.knowledge import load_library

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
NEXT = Horizon(name="the next visit", least=0.01, most=35.0)


def told(draws: np.ndarray, seen: np.ndarray) -> Told:
    return Told(draws=draws, seen=seen, resolution=1e-6)


def judged_as(draws: np.ndarray, seen: np.ndarray):
    return score(told(draws, seen), forecaster="one", horizon="next", people=1, cut=0.5)


class TestScores:
    def test_a_normal_forecast_has_the_crps_of_the_normal(self) -> None:
        # CRPS of N(0, 1) at its mean: 2 phi(0) - 1/sqrt(pi) = 0.79788 - 0.56419 = 0.23370
        rng = np.random.default_rng(0)
        found = judged_as(rng.standard_normal((1, 40_000)), np.array([1.0]))
        assert found.crps_log == pytest.approx(0.2337, abs=0.004)

    def test_the_quick_crps_is_that_of_all_pairs(self) -> None:
        # E|X - y| - E|X - X'| / 2 over all pairs of different draws
        rng = np.random.default_rng(3)
        draws, seen = rng.standard_normal((5, 30)), rng.standard_normal(5)
        pairs = np.abs(draws[:, :, None] - draws[:, None, :]).sum(axis=(1, 2)) / (30 * 29)
        assert crps(seen, draws) == pytest.approx(np.abs(draws - seen[:, None]).mean(axis=1) - pairs / 2)

    def test_a_true_forecaster_covers_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(1)
        seen = np.exp(rng.standard_normal(4000))
        found = judged_as(np.tile(np.sort(rng.standard_normal(1000)), (4000, 1)), seen)
        for level, share in found.coverage:
            assert share == pytest.approx(level, abs=0.03)
        assert max(found.pit) < 0.13

    def test_one_too_sure_covers_less(self) -> None:
        rng = np.random.default_rng(1)
        seen = np.exp(rng.standard_normal(2000))
        sure = judged_as(0.3 * rng.standard_normal((2000, 400)), seen)
        assert dict(sure.coverage)[0.95] < 0.6
        assert sure.pit[0] > 0.2
        assert sure.pit[-1] > 0.2

    def test_brier_of_certainty_and_of_the_base_rate(self) -> None:
        seen = np.array([0.2, 2.0, 3.0, 4.0])
        sure = np.where(seen[:, None] < 0.5, -3.0, 1.0) + np.zeros((4, 60))
        found = judged_as(sure, seen)
        assert found.brier == 0
        assert found.below == 0.25
        assert found.brier_base == pytest.approx(0.25 * 0.75)

    def test_errors_by_hand(self) -> None:
        # told 1.0 for certain, seen 1.0 and e: errors of the logarithm 0 and 1, of the count 0 and e - 1
        found = judged_as(np.zeros((2, 60)), np.array([1.0, np.e]))
        assert found.log_rmse == pytest.approx(np.sqrt(0.5))
        assert found.mae == pytest.approx((np.e - 1) / 2)

    def test_a_rounded_count_stands_in_the_middle_of_what_rounds_to_it(self) -> None:
        draws = np.log(np.linspace(0.0501, 0.1499, 1000))[None, :]
        place = pit_of(Told(draws=draws, seen=np.array([0.1]), resolution=0.1))
        assert place[0] == pytest.approx(0.5, abs=0.01)

    def test_nothing_to_judge_is_said(self) -> None:
        with pytest.raises(ValueError, match="no count was forecast"):
            judged_as(np.zeros((0, 60)), np.zeros(0))


class TestRolling:
    SERIES = Series(days=np.array([0.0, 7, 14, 60, 67]), values=np.array([1.0, 2, 3, 4, 5]))

    def test_each_count_from_those_before_it_within_the_gap(self) -> None:
        found = list(pairs_of(self.SERIES, NEXT))
        assert [(len(pair.history), pair.day, pair.seen) for pair in found] == [(1, 7, 2), (2, 14, 3), (4, 67, 5)]

    def test_four_weeks_ahead_uses_nothing_newer(self) -> None:
        far = Horizon(name="far", least=28, most=50)
        found = list(pairs_of(self.SERIES, far))
        assert [(len(pair.history), pair.day) for pair in found] == [
            (3, 60)
        ]  # 46 days after day 14; day 67 is 53 after

    def test_nobody_is_judged_by_what_they_taught(self) -> None:
        one, two = halves(dict.fromkeys("abcde", self.SERIES))
        assert set(one) | set(two) == set("abcde")
        assert not set(one) & set(two)

    def test_the_weighted_mean(self) -> None:
        # 0, then 0.3 of the way to 1, then 0.3 of the way from 0.3 to 0: 0.21
        assert smoothed(np.array([0.0, 1.0, 0.0]), 0.3) == pytest.approx(0.21)

    def test_a_forecaster_that_knows_how_people_move_beats_the_naive(self) -> None:
        people = made(24)
        scores = judge(people, [OwnLevel(level=BEGIN), *naive_forecasters(0.3)], [NEXT], cut=0.5, resolution=1e-3)
        own, *naive = scores
        assert all(own.crps_log < one.crps_log for one in naive)
        assert all(own.log_rmse < one.log_rmse for one in naive)
        assert dict(own.coverage)[0.8] == pytest.approx(0.8, abs=0.06)


BEGIN = Level(level=0.2, level_sd=0.5, drift=0.01, tau=12.0, swing=0.3, noise=0.3, tails=6.0)


def made(many: int) -> dict[str, Series]:
    rng = np.random.default_rng(8)
    people = {}
    for k in range(many):
        days = np.cumsum(rng.choice([3.0, 7.0, 14.0], 20))
        apart = np.abs(days[:, None] - days[None, :])
        cov = 0.3**2 + 0.45**2 * np.exp(-apart / 8) + 0.25**2 * np.eye(20)
        people[f"p{k:02}"] = Series(days=days, values=np.exp(rng.multivariate_normal(np.full(20, 0.5), cov)))
    return people


def write(folder: Path, people: dict[str, Series]) -> None:
    rows = [
        f"{name},{day},{count:.2f}"
        for name, one in people.items()
        for day, count in zip(one.days, one.values, strict=True)
    ]
    folder.joinpath("counts.csv").write_text("\n".join(["id,day,anc", *rows]))


class TestTable:
    def test_zeros_missing_and_doubled_rows_are_said(self, tmp_path: Path) -> None:
        tmp_path.joinpath("c.csv").write_text(
            "ID,TIME_day,ANC_G_per_L\n1,0,0.0\n1,7,0.3\n1,7,0.4\n1,9,\n2,0,x\n2,1,2\n"
        )
        found = read_counts(tmp_path)
        assert list(found.people["1"].values) == [0.4, 0.4]
        assert found.said == (
            "1 counts printed as 0 are taken as 0.4, the least that is printed",
            "2 rows without a person, a day or a count of 0 or more",
            "1 rows of the same person and time as a later row",
        )

    def test_no_table_is_said(self, tmp_path: Path) -> None:
        tmp_path.joinpath("c.csv").write_text("a,b\n1,2\n")
        with pytest.raises(UnreadableInput) as caught:
            read_counts(tmp_path)
        assert "person" in str(caught.value)

    def test_no_count_is_said(self, tmp_path: Path) -> None:
        tmp_path.joinpath("c.csv").write_text("id,day,anc\n1,a,b\n")
        with pytest.raises(UnreadableInput, match="holds no count"):
            read_counts(tmp_path)


def test_quick_judges_fewer_people(tmp_path: Path) -> None:
    write(tmp_path, made(65))
    found = judged(tmp_path, library=load_library(), quick=True)
    assert found.people == 33
    assert "every 2 of 65 people" in found.said[-1]
    assert {one.horizon for one in found.scores} == {"the next visit", "four weeks ahead"}


@pytest.mark.shared
def test_children_on_maintenance_are_told_better_than_by_a_weighted_mean() -> None:
    folder = SHARED / "data" / "jost2020"
    if not folder.exists():
        pytest.skip("real counts of children (Jost 2020) lie beside the checkout only where they were put")
    found = judged(folder, library=load_library(), quick=True)
    by = {(one.forecaster, one.horizon): one for one in found.scores}
    for horizon in ("the next visit", "four weeks ahead"):
        own, naive = by["leuko, learned on the other half", horizon], by["weighted mean (0.3)", horizon]
        assert own.log_rmse < naive.log_rmse
        assert own.crps_log < naive.crps_log
        assert own.crps < naive.crps
        for level, share in own.coverage:
            assert share == pytest.approx(level, abs=0.04)


class TestPaired:
    """Losses that are known: whether a difference is told from chance."""

    WHO = tuple(f"p{at // 10}" for at in range(200))

    def lost(self, name: str, crps: Floats) -> Losses:
        return Losses(forecaster=name, horizon="next", people=self.WHO, squared=np.square(crps), crps=crps)

    def test_the_same_losses_differ_by_nothing(self) -> None:
        same = np.random.default_rng(1).uniform(0.1, 0.5, 200)
        for one in paired(self.lost("a", same), self.lost("b", same)):
            assert (one.difference, one.low, one.high, one.told) == (0.0, 0.0, 0.0, False)

    def test_a_gain_for_everybody_is_told(self) -> None:
        base = np.random.default_rng(1).uniform(0.1, 0.5, 200)
        rmse, crps = paired(self.lost("a", base - 0.05), self.lost("b", base))
        assert crps.difference == pytest.approx(-0.05)
        assert crps.told
        assert crps.better == 1.0
        assert rmse.difference == pytest.approx(
            np.sqrt(np.square(base - 0.05).mean()) - np.sqrt(np.square(base).mean())
        )

    def test_a_gain_of_one_person_alone_is_not_told(self) -> None:
        """Two hundred counts, but one witness: people are drawn anew, not counts."""
        rng = np.random.default_rng(1)
        base = rng.uniform(0.1, 0.5, 200)
        gain = np.where(np.array(self.WHO) == "p3", 0.3, 0.0) - 0.005
        _, crps = paired(self.lost("a", base - gain), self.lost("b", base))
        assert crps.difference < 0.0
        assert not crps.told

    def test_the_interval_holds_the_truth_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(4)
        held = 0
        for _ in range(200):
            own = np.repeat(rng.normal(-0.02, 0.05, 20), 10)
            _, crps = paired(self.lost("a", 0.4 + own + rng.normal(0, 0.05, 200)), self.lost("b", np.full(200, 0.4)))
            held += crps.low <= -0.02 <= crps.high
        assert 0.86 <= held / 200 <= 0.99

    def test_other_counts_cannot_be_set_against_each_other(self) -> None:
        one = self.lost("a", np.full(200, 0.3))
        with pytest.raises(ValueError, match="same counts"):
            paired(one, replace(one, people=self.WHO[::-1]))
