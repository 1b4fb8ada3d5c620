"""Learning a population from people whose population is known; what is saved drives a fit; few people move little."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from leuko.cli import cli
from leuko.errors import LeukoError, UnreadableInput, UsageError
from leuko.forecast.covariates import Covariates
from leuko.forecast.fit import fit
from leuko.forecast.learn import (
    Learned,
    Naming,
    Person,
    cohort_of,
    judge,
    learn,
    learn_level,
    level_row_of,
    model_row_of,
    toml_of,
    write,
)
from leuko.forecast.learn.people import digest_of
from leuko.forecast.learn.population import Moments, Population, beyond, moved, population_of
from leuko.forecast.library import build, level_row, model_row, models_for
from leuko.forecast.model import Observed, Schedule
from leuko.forecast.score.clouds import Cloud, Residual, posterior_of
from leuko.forecast.score.forecasters import naive_forecasters
from leuko.forecast.score.real import level_of
from leuko.forecast.score.rolling import Horizon
from leuko.forecast.score.rolling import judge as judge_rolling
from leuko.forecast.score.table import read_counts
from leuko.forecast.score.treated import Treated, carried, forecasters_of
from leuko.forecast.solve import simulate
from leuko.forecast.state_space import Series, after, expect, log_likelihood, move
from leuko.knowledge import load_library
from leuko.knowledge.schema.forecast import ModelRow
from leuko.knowledge.schema.learned import TreatedRow
from leuko.knowledge.schema.levels import JudgeRow, LevelRow

SHARED = Path(os.environ.get("LEUKO_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
MODEL = "docetaxel-kloft"
HOURS = np.array([0.0, 5, 8, 11, 16, 21, 29, 33]) * 24
DOSES = Schedule(hour=np.array([0.0, 504.0]), drug=("docetaxel",) * 2, amount=np.full(2, 222.8), hours=np.ones(2))
SHIFT = {"circ0": 0.4, "docetaxel.slope": 0.0}
ERROR = 0.25


def row() -> ModelRow:
    return model_row(MODEL, load_library())


def people(many: int, seed: int = 3, further: float = 0.0) -> tuple[Person, ...]:
    """People of the model with another typical count before treatment and another residual error."""
    model = build(row())
    rng = np.random.default_rng(seed)
    drawn = np.linalg.cholesky(model.omega) @ rng.standard_normal((len(model.random), many))
    theta = np.repeat(model.typical[:, None], many, axis=1)
    for at, name in enumerate(model.random):
        theta[model.at(name)] *= np.exp(drawn[at] + SHIFT.get(name, 0.0) + (further if name == "circ0" else 0.0))
    true = simulate(model, theta, DOSES, hours=HOURS, threads=1).counts
    seen = np.exp(np.log(true) + ERROR * rng.standard_normal(true.shape))
    return tuple(
        Person(name=f"p{at:02d}", schedule=DOSES, observed=Observed(hour=HOURS, value=seen[:, at].astype(float)))
        for at in range(many)
    )


@pytest.fixture(scope="module")
def learned() -> Learned:
    return learn(row(), people(14), prior_weight=1.0, rounds=6, seed=7)


def written(folder: Path, learned: Learned, name: str = "our-docetaxel") -> Path:
    file = folder / "models" / f"{name}.toml"
    write(model_row_of(learned, (), Naming(id=name, people="our unit", on="2026-01-31")), file)
    return file


def test_a_known_population_is_found_again(learned: Learned) -> None:
    published, found = learned.published, learned.population
    at = found.names.index("circ0")
    assert found.mean[at] - published.mean[at] == pytest.approx(SHIFT["circ0"], abs=3 * learned.uncertainty.mean[at])
    assert found.mean[at] - published.mean[at] > 0.2
    assert found.sd == pytest.approx(ERROR, rel=0.2)
    assert published.sd > 0.4
    slope = found.names.index("docetaxel.slope")
    assert found.mean[slope] == pytest.approx(published.mean[slope], abs=3 * learned.uncertainty.mean[slope])
    assert learned.evidence > learned.evidence_before + 10


def test_rounds_never_lose_evidence_and_settle(learned: Learned) -> None:
    assert learned.settled
    noise = 0.1 * learned.people  # each round draws anew: a person's log evidence is known to about a tenth
    assert all(later > earlier - noise for earlier, later in zip(learned.steps[:-1], learned.steps[1:], strict=True))


def test_errors_and_shrinkage_are_told_for_everything_that_varies(learned: Learned) -> None:
    assert learned.uncertainty.mean.shape == learned.shrinkage.shape == (len(learned.population.names),)
    assert np.all(learned.uncertainty.mean > 0.0)
    at = {name: place for place, name in enumerate(learned.population.names)}
    # counts before treatment tell much of the level and little of how a person clears the medicine
    assert learned.shrinkage[at["circ0"]] < learned.shrinkage[at["docetaxel.k10"]]


def test_few_people_stay_near_what_was_published() -> None:
    found = learn(row(), people(2), prior_weight=100.0, rounds=2)
    assert found.population.mean == pytest.approx(found.published.mean, abs=0.03)
    assert found.population.sd == pytest.approx(found.published.sd, rel=0.05)


def test_the_same_seed_gives_the_same_file_and_other_data_another_digest() -> None:
    crew = people(3)
    first, again = (learn(row(), crew, rounds=2, seed=5) for _ in range(2))
    texts = [toml_of(model_row_of(one, (), Naming(id="a"))) for one in (first, again)]
    assert texts[0] == texts[1]
    other = replace(crew[0], observed=replace(crew[0].observed, value=crew[0].observed.value * 1.1))
    assert digest_of((other, *crew[1:])) != first.digest == digest_of(crew[::-1])


def test_nobody_and_one_person_teach_nothing() -> None:
    with pytest.raises(UsageError, match="1 people"):
        learn(row(), people(1))
    without = msgspec.structs.replace(row(), residual=None)
    with pytest.raises(UsageError, match="no residual error"):
        learn(without, people(2))


def test_a_saved_file_is_read_and_drives_a_fit(tmp_path: Path, learned: Learned) -> None:
    written(tmp_path, learned)
    library = load_library(tmp_path)
    own = model_row("our-docetaxel", library)
    assert own.learned is not None
    assert (own.learned.begun, own.learned.people, own.learned.counts) == (MODEL, 14, 14 * HOURS.size)
    assert own.learned.on == "2026-01-31"
    assert own.learned.digest == learned.digest
    assert own.basis.drives
    model = build(own)
    assert model.omega == pytest.approx(learned.population.omega, abs=2e-3)
    assert model.residual.sd == pytest.approx(learned.population.sd, rel=1e-4)
    posterior = fit(model, DOSES, people(1)[0].observed, seed=1)
    assert posterior.sound
    assert posterior.model.id == "our-docetaxel"


def test_a_sites_own_model_comes_before_the_published(tmp_path: Path, learned: Learned) -> None:
    written(tmp_path, learned)
    found = models_for(["docetaxel"], covariates=Covariates(values={"age": 60.0}), library=load_library(tmp_path))
    assert found[0].row.id == "our-docetaxel"


def test_it_is_judged_on_people_it_was_not_learned_from() -> None:
    published, own = judge(row(), people(12, further=0.6), resolution=0.01, cut=0.5, rounds=2, prior_weight=4.0)
    assert own.log_score > published.log_score
    assert own.score.people == published.score.people == 12
    assert judge(row(), people(3), resolution=0.01, cut=0.5) == ()


def test_people_cut_off_above_a_ceiling_are_made_whole() -> None:
    """Exact moments of a normal cut off at its mean + 0.3 SD lead back to the normal, not to the cut one."""
    true = Population(names=("gamma",), mean=np.array([-0.2]), omega=np.array([[0.04]]), sd=0.3, cut=0)
    limit = -0.2 + 0.3 * 0.2
    z = np.linspace(-6, 0.3, 20001)
    density = np.exp(-0.5 * z * z)
    density /= density.sum()
    values = true.mean[0] + 0.2 * z
    seen = Moments(first=np.array([values @ density]), second=np.array([[values**2 @ density]]))
    now = replace(true, mean=np.array([-0.4]), omega=np.array([[0.02]]))
    for _ in range(400):
        now = moved(now, now, [seen] * 50, [limit] * 50, 1e-9)
    assert now.mean == pytest.approx(true.mean, abs=5e-3)
    assert now.omega == pytest.approx(true.omega, rel=0.05)
    assert beyond(replace(true, cut=None), limit) is None


def test_occasion_variation_and_covariates_are_left_as_they_are() -> None:
    base = people(3)
    women = tuple(replace(one, covariates=Covariates(values={"female": 1.0})) for one in base)
    # women have a lower typical count in this model: the same counts mean a higher one for the typical man
    assert population_of(build(row(), covariates=women[0].covariates)).mean[0] < population_of(build(row())).mean[0]
    men = learn(row(), base, prior_weight=0.5, rounds=2).population.mean[0]
    assert learn(row(), women, prior_weight=0.5, rounds=2).population.mean[0] > men


# --- tables ----------------------------------------------------------------------------------------------------------


def tables(folder: Path, crew: tuple[Person, ...], doses: str = "person,day,amount_mg,hours") -> Path:
    lines = ["person,day,anc"]
    given = [doses]
    for one in crew:
        seen = zip(one.observed.hour, one.observed.value, strict=True)
        lines += [f"{one.name},{hour / 24:g},{value:.4f}" for hour, value in seen]
        given += [f"{one.name},{hour / 24:g},180,1" for hour in one.schedule.hour]
    (folder / "counts.csv").write_text("\n".join(lines), "utf-8")
    (folder / "doses.csv").write_text("\n".join(given), "utf-8")
    return folder


def test_tables_of_counts_and_doses_are_read(tmp_path: Path) -> None:
    cohort = cohort_of(tables(tmp_path, people(2)), row=row(), library=load_library())
    assert [one.name for one in cohort.people] == ["p00", "p01"]
    assert cohort.counts == 2 * HOURS.size
    first = cohort.people[0].schedule
    assert first.amount == pytest.approx([180 * row().parts[0].per_mg] * 2)
    assert first.hours == pytest.approx([1.0, 1.0])
    assert any("all are taken as docetaxel" in text for text in cohort.said)


@pytest.mark.parametrize(
    ("doses", "error"),
    [
        (None, "no table of doses"),
        ("person,day,amount\nx,0,100", "nobody has both"),
        ("person,day,weight\np00,0,100", "no table of doses"),
    ],
)
def test_bad_tables_are_said_plainly(tmp_path: Path, doses: str | None, error: str) -> None:
    tables(tmp_path, people(2))
    (tmp_path / "doses.csv").unlink()
    if doses is not None:
        (tmp_path / "doses.csv").write_text(doses, "utf-8")
    with pytest.raises(UnreadableInput, match=error) as found:
        cohort_of(tmp_path, row=row(), library=load_library())
    assert found.value.do


def test_doses_of_another_medicine_and_broken_rows_are_said(tmp_path: Path) -> None:
    tables(tmp_path, people(2))
    text = "person,day,amount,drug\np00,0,100,Docetaxel\np00,21,,docetaxel\np01,0,90,docetaxel\np01,0,50,topotecan"
    (tmp_path / "doses.csv").write_text(text, "utf-8")
    cohort = cohort_of(tmp_path, row=row(), library=load_library())
    assert [one.schedule.hour.size for one in cohort.people] == [1, 1]
    assert any("1 doses of topotecan" in one for one in cohort.said)
    assert any("1 rows of doses without" in one for one in cohort.said)


# --- levels ----------------------------------------------------------------------------------------------------------


def counts(folder: Path, many: int) -> Path:
    rng = np.random.default_rng(4)
    lines = ["person,day,anc"]
    for at in range(many):
        level = 0.8 + 0.3 * rng.standard_normal()
        lines += [f"q{at},{day},{np.exp(level + 0.3 * rng.standard_normal()):.2f}" for day in range(0, 140, 14)]
    (folder / "counts.csv").write_text("\n".join(lines), "utf-8")
    return folder


def test_a_level_is_learned_saved_and_comes_before_the_shipped(tmp_path: Path) -> None:
    library = load_library()
    shipped = level_row("untreated", library)
    table = read_counts(counts(tmp_path, 16))
    found = learn_level(shipped, table, judged_by=library.rows(JudgeRow)[0])
    assert abs(found.level.level - 0.8) < abs(shipped.level - 0.8)
    assert found.evidence > found.evidence_before
    write(level_row_of(found, Naming(id="our-level")), tmp_path / "site" / "models" / "our-level.toml")
    own = level_row("untreated", load_library(tmp_path / "site"))
    assert own.id == "our-level"
    assert own.learned is not None
    assert own.learned.validation[1].log_score > own.learned.validation[0].log_score
    assert own.level == pytest.approx(found.level.level, rel=1e-4)
    assert level_row("untreated", library).id == shipped.id


def test_a_level_needs_people_with_several_counts(tmp_path: Path) -> None:
    library = load_library()
    with pytest.raises(UsageError, match="3 people have two counts"):
        learn_level(
            level_row("untreated", library),
            read_counts(counts(tmp_path, 3)),
            judged_by=library.rows(JudgeRow)[0],
        )


# --- command line ----------------------------------------------------------------------------------------------------


def test_the_command_writes_a_file_that_other_commands_read(tmp_path: Path) -> None:
    out = tmp_path / "site" / "models" / "our-docetaxel.toml"
    tables(tmp_path, people(2))
    made = CliRunner().invoke(
        cli,
        ["learn", str(tmp_path), "--model", MODEL, "--out", str(out), "--rounds", "1", "--no-validation", "--json", "-",
         "--as-of", "2026-01-31"],
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert told["row"]["learned"]["on"] == "2026-01-31"
    assert told["row"]["variability"] == "learned"
    assert "round 1: log evidence" in made.stderr
    check = CliRunner().invoke(cli, ["knowledge", "show", "model:our-docetaxel", "--knowledge", str(tmp_path / "site")])
    assert "our-docetaxel" in check.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--out", "x.toml"],
        ["--model", MODEL, "--level", "--out", "x.toml"],
        ["--model", "no-such", "--out", "x.toml"],
        ["--level", "--begin", "no-such", "--out", "x.toml"],
        ["--model", MODEL, "--out", f"{MODEL}.toml"],
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    found = CliRunner().invoke(cli, ["learn", str(counts(tmp_path, 4)), *arguments])
    assert isinstance(found.exception, LeukoError)


def test_level_rows_shipped_were_not_learned_here() -> None:
    assert all(one.learned is None for one in load_library().rows(LevelRow))


# --- forecasts under treatment -------------------------------------------------------------------------------------


def treated(series: Series, schedule: Schedule) -> Treated:
    library = load_library()
    (_, marrow, _) = forecasters_of(
        library.rows(TreatedRow)[0], {series.person: series}, {series.person: schedule}, library=library
    )
    assert isinstance(marrow, Treated)
    return marrow


def daily(days: int, amount: float) -> Schedule:
    return Schedule(
        hour=np.arange(days) * 24.0 + 19.0,
        drug=("mercaptopurine",) * days,
        amount=np.full(days, amount),
        hours=np.zeros(days),
    )


def test_where_the_marrow_does_not_move_the_residual_is_the_level() -> None:
    level = level_of(level_row("maintenance", load_library()))
    series = Series(days=np.array([0.0, 7, 8, 30, 44]), values=np.array([2.0, 1.1, 1.4, 0.4, 3.0]))
    residual = Residual(
        mean=np.zeros(1), spread=np.ones(1), cut=None, shift=level.level_sd, drift=level.drift, tau=level.tau,
        swing=level.swing, noise=level.noise, tails=level.tails,
    )  # fmt: skip
    cloud = Cloud(
        days=series.days,
        logs=np.log(series.values),
        schedule=daily(1, 1.0),
        log_theta=np.zeros((1, 3)),
        log_drawn=residual.log_density(np.zeros((1, 3))),
        log_true=np.full((5, 3), level.level, dtype=np.float32),
    )
    seen = posterior_of(cloud, residual)
    assert seen.log_weights[-1] == pytest.approx([log_likelihood(level, series)] * 3, abs=1e-5)
    mean, sd = seen.ahead(5, np.array([0]), 14.0, residual)
    ahead = expect(level, move(level, after(level, series), 58.0))
    assert (mean[0] + level.level, sd) == pytest.approx((ahead.mean, ahead.sd), abs=1e-6)


def test_doses_that_are_not_known_yet_go_on_as_they_were() -> None:
    given = daily(60, 40.0)
    assert carried(given, 30.0, 44.0) is given
    stopped = Schedule(hour=given.hour[:31], drug=given.drug[:31], amount=given.amount[:31], hours=given.hours[:31])
    going = carried(stopped, 30.9, 44.0)
    assert going.amount[31:] == pytest.approx([40.0] * 14)
    assert carried(stopped, 44.0, 50.0).hour.size == 31


def test_what_is_told_rests_on_the_doses() -> None:
    days = np.arange(0.0, 120.0, 14.0)
    series = Series(person="a", days=days, values=np.full(days.size, 1.6))
    high, low = treated(series, daily(200, 80.0)), treated(series, daily(200, 5.0))
    first = Series(person="a", days=days[:2], values=series.values[:2])
    told = high.tell(first, 84.0)
    assert told == pytest.approx(high.tell(first, 84.0))
    assert told.mean() < low.tell(first, 84.0).mean() - 0.05


@pytest.mark.shared
def test_children_under_mercaptopurine_are_told_better_than_by_a_weighted_mean() -> None:
    folder = SHARED / "data" / "jost2020"
    if not folder.exists():
        pytest.skip("real counts and doses of children (Jost 2020) lie beside the checkout only where they were put")
    library, table = load_library(), read_counts(folder)
    cohort = cohort_of(folder, row=model_row("mercaptopurine-jost", library), library=library)
    assert (len(cohort.people), cohort.counts) == (58, 2971)
    few = {name: table.people[name] for name in sorted(table.people)[::8]}
    doses = {one.name: one.schedule for one in cohort.people}
    _, marrow, _ = forecasters_of(library.rows(TreatedRow)[0], few, doses, library=library)
    assert isinstance(marrow, Treated)
    (by,) = [one for one in library.rows(JudgeRow) if one.id == "next-visit"]
    asked = (Horizon(name=by.title, least=by.least, most=by.most),)
    crew = (replace(marrow, learns=False), naive_forecasters(by.smoothing)[-1])
    own, naive = judge_rolling(few, crew, asked, cut=by.severe, resolution=table.resolution)
    assert own.log_rmse < naive.log_rmse
    assert own.crps_log < naive.crps_log
