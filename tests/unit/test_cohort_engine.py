"""A run over batches: committed part by part, the same bytes whatever their size, their order or the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from leuko.cohort import frames
from leuko.cohort.batch import run_batch
from leuko.cohort.engine import MANIFEST, Answered, Asked, Said, Task, answer, run, scan
from leuko.cohort.tables import rules_of
from leuko.errors import UnreadableInput, UsageError

ASKED = Asked(rules=rules_of())
PEOPLE = 23


@dataclass
class Given:
    tables: dict[str, pl.DataFrame]


def frame(rows: list[dict[str, Any]], columns: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=frames.schema(columns), orient="row")


def row(person: str, analyte: str, value: float, taken: datetime, **more: Any) -> dict[str, Any]:
    known = {"person": person, "analyte": analyte, "value": value, "bound": "=", "taken": taken, "has_time": True}
    return {**known, "status": "final", "file": "labs.csv", **more}


def cohort() -> dict[str, pl.DataFrame]:
    """People whose white count falls and recovers, each at a depth and a pace of their own."""
    rows = []
    for number in range(PEOPLE):
        for day in range(0, 60, 2 + number % 5):
            taken = datetime(2024, 1, 1, 7 + number % 3, tzinfo=UTC) + timedelta(days=day)
            depth = round(0.3 + abs(day - 20 - number % 7) / 5, 2)
            rows.append(row(f"p{number:02d}", "wbc", depth + 1, taken, row=len(rows) + 1))
            rows.append(row(f"p{number:02d}", "neutrophils_percent", 40.0 + number, taken, row=len(rows) + 1))
    rows.append(row("p00", "wbc", -1.0, datetime(2024, 1, 3, tzinfo=UTC), row=len(rows) + 1))
    people = [
        {"person": f"p{n:02d}", "born": date(1950 + n, 3, 1), "born_precision": "day", "sex": "female"}
        for n in range(PEOPLE + 1)
    ]
    empty = {name: frame([], getattr(frames, name.upper())) for name in ("treatments", "signs", "facts", "notices")}
    return {"results": frame(rows, frames.RESULTS), "people": frame(people, frames.PEOPLE), **empty}


def batches(size: int) -> Iterator[Given]:
    whole = cohort()
    ids = whole["people"]["person"].to_list()
    for first in range(0, len(ids), size):
        part = ids[first : first + size]
        yield Given({name: table.filter(pl.col("person").is_in(part)) for name, table in whole.items()})


def written(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plain") / "out"
    run(batches(PEOPLE + 1), out, ASKED)
    return out


@pytest.mark.parametrize("size", [1, 4, 9])
def test_the_size_of_batches_leaves_no_trace(tmp_path: Path, plain: Path, size: int) -> None:
    said = run(batches(size), tmp_path / "out", ASKED)
    assert written(tmp_path / "out") == written(plain)
    assert (said.people, said.results) == (PEOPLE + 1, cohort()["results"].height)


def test_the_order_of_answers_leaves_no_trace(tmp_path: Path, plain: Path) -> None:
    def backwards(tasks: Iterator[Task], asked: Asked) -> Iterator[tuple[Task, Answered]]:
        for task in reversed(list(tasks)):
            yield task, answer(task.tables, asked)

    run(batches(5), tmp_path / "out", ASKED, engine=backwards)
    assert written(tmp_path / "out") == written(plain)


class KilledError(Exception):
    pass


def broken_off(out: Path, after: int) -> None:
    def stop(said: Said) -> None:
        if said.batches == after:
            raise KilledError

    with pytest.raises(KilledError):
        run(batches(3), out, ASKED, progress=stop)


@pytest.mark.parametrize("after", [1, 5])
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(tmp_path: Path, plain: Path, after: int) -> None:
    out = tmp_path / "out"
    broken_off(out, after)
    assert not (out / MANIFEST).exists()
    said = run(batches(3), out, ASKED, resume=True)
    assert said.reused >= after
    assert written(out) == written(plain)


def test_a_part_that_was_half_written_is_made_again(tmp_path: Path, plain: Path) -> None:
    out = tmp_path / "out"
    broken_off(out, 2)
    part = out / ".parts" / "00000001"
    part.rename(part.with_suffix(".fresh"))
    (part.with_suffix(".fresh") / "counts.arrow").write_bytes(b"half")
    run(batches(3), out, ASKED, resume=True)
    assert written(out) == written(plain)


def test_a_part_of_other_rows_is_not_used(tmp_path: Path, plain: Path) -> None:
    out = tmp_path / "out"
    broken_off(out, 2)
    said = run(batches(4), out, ASKED, resume=True)
    assert said.reused == 0
    assert written(out) == written(plain)


def test_a_run_is_never_mixed_with_one_that_asked_for_something_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    broken_off(out, 2)
    with pytest.raises(UsageError, match="broken off"):
        run(batches(3), out, ASKED)
    with pytest.raises(UsageError, match="something else"):
        run(batches(3), out, Asked(rules=ASKED.rules, as_of=date(2024, 2, 1)), resume=True)


def test_a_run_that_ends_before_it_answered_anything_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    def unreadable() -> Iterator[Given]:
        raise UnreadableInput("no such table")
        yield

    out = tmp_path / "out"
    with pytest.raises(UnreadableInput):
        run(unreadable(), out, ASKED)
    assert not out.exists()


def test_a_finished_run_is_not_overwritten(plain: Path) -> None:
    with pytest.raises(UsageError, match="finished run"):
        run(batches(3), plain, ASKED)


def test_the_manifest_names_every_file_with_its_rows(plain: Path) -> None:
    manifest = json.loads((plain / MANIFEST).read_text("utf-8"))
    assert manifest["people"] == PEOPLE + 1
    for name in ("counts", "episodes", "persons", "notices", "people"):
        rows = sum(file["rows"] for file in manifest["tables"][name])
        assert scan(plain, name).select(pl.len()).collect().item() == rows > 0


def test_people_without_a_result_are_counted_too(plain: Path) -> None:
    last = scan(plain, "persons").collect().row(-1, named=True)
    assert (last["person"], last["results"], last["counts"]) == (f"p{PEOPLE}", 0, 0)
    assert last["worst_wbc_ctcae_5"] is None


def test_a_refused_row_stands_in_the_notices(plain: Path) -> None:
    told = scan(plain, "notices").filter(pl.col("code") == "LK619").collect().row(0, named=True)
    assert (told["person"], told["row"], told["rows"], told["lost"]) == ("p00", cohort()["results"].height, 1, True)
    assert "White blood cells -1.0 10*9/L (2024-01-03)" in told["text"]


def test_rows_of_an_unknown_analyte_are_told_and_the_rest_is_used() -> None:
    taken = datetime(2024, 1, 3, tzinfo=UTC)
    results = frame([row("a", "wbc", 3.0, taken, row=1), row("a", "ferritin", 3.0, taken, row=2)], frames.RESULTS)
    found = run_batch(results, frame([], frames.PEOPLE), frame([], frames.TREATMENTS), ASKED.rules)
    assert found.notices.select("code", "row", "severity").row(0) == ("LK780", 2, "error")
    assert set(found.counts["analyte"]) == {"wbc", "neutrophils"}


def test_two_rows_of_one_person_that_disagree_are_not_believed() -> None:
    taken = datetime(2024, 1, 3, tzinfo=UTC)
    results = frame([row("a", "haemoglobin", 125.0, taken, row=1)], frames.RESULTS)
    sexes = [
        {"person": "a", "sex": sex, "born": date(1990, 1, 1), "born_precision": "day"} for sex in ("female", "male")
    ]
    found = run_batch(results, frame(sexes, frames.PEOPLE), frame([], frames.TREATMENTS), ASKED.rules)
    assert found.notices["code"].to_list() == ["LK524"]
    alone = run_batch(
        results,
        frame([{**sexes[0], "sex": None}], frames.PEOPLE),
        frame([], frames.TREATMENTS),
        ASKED.rules,
    )
    assert found.counts.equals(alone.counts)
