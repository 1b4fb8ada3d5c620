"""FHIR of many people through the command, and of each alone through `assess`: the same counts, grades and episodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

import leuko
from leuko.knowledge import load_library
from leuko.standing import standing_of

LOINC = {"wbc": "6690-2", "anc": "751-8", "percent": "770-8", "bands": "764-1", "platelets": "777-3", "hb": "718-7"}
CELLS = [("10*9/L", 1), ("10*3/uL", 1), ("/uL", 1000), ("10*6/L", 1000)]
BORN = [None, "1958", "2005-03", "1970-02-28", "2022-11-05"]
UCUM = "http://unitsofmeasure.org"
LATER = date(2040, 1, 1)
Resource = dict[str, Any]


def people_of(seed: int, number: int) -> list[Resource]:
    """Repeats, corrections, contradictions, bounds, withdrawn results, days without times, births known in part."""
    draw, found = Random(seed), list[Resource]()  # noqa: S311 (people, no keys)
    for person in (f"p{at}" for at in range(number)):
        born = draw.choice(BORN)
        found.append({"resourceType": "Patient", "id": person, **({"birthDate": born} if born else {})})
        moment, level = datetime(2024, 1, 1, 8, tzinfo=UTC), draw.choice([0.1, 0.4, 0.9, 1.4, 3.0])
        for _ in range(draw.randint(1, 10)):
            moment += timedelta(days=draw.choice([0, 1, 3, 7, 30, 100]), hours=draw.choice([0, 0, 3]))
            level = max(0.0, level * draw.choice([0.3, 0.8, 1.0, 1.3, 4.0]))
            found += _draw(draw, person, moment, round(level, 1))
    draw.shuffle(found)
    return [{**one, "id": one.get("id", f"o{at}")} for at, one in enumerate(found)]


def _draw(draw: Random, person: str, moment: datetime, anc: float) -> Iterator[Resource]:
    when = f"{moment:%Y-%m-%d}" if draw.random() < 0.25 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    wbc = round(anc + draw.uniform(0.1, 2.0), 1)

    def result(analyte: str, value: float, *, unit: str | None = None, **more: Any) -> Resource:
        code, factor = (unit, 1) if unit else draw.choice(CELLS)
        quantity = {
            "value": round(value * factor, 3),
            "unit": code,
            "system": "http://unitsofmeasure.org",
            "code": code,
        }
        return {
            "resourceType": "Observation", "status": more.pop("status", "final"),
            "code": {"coding": [{"system": "http://loinc.org", "code": LOINC[analyte]}]},
            "subject": {"reference": f"Patient/{person}"}, "effectiveDateTime": when,
            "valueQuantity": quantity | {name: more.pop(name) for name in ("comparator",) if name in more}, **more,
        }  # fmt: skip

    yield result("wbc", wbc, **({"comparator": draw.choice("<>")} if draw.random() < 0.1 else {}))
    if draw.random() < 0.5:
        yield result("anc", anc, **({"comparator": "<"} if draw.random() < 0.1 else {}))
    else:
        yield result("percent", round(100 * anc / wbc, 1), unit="%")
        if draw.random() < 0.3:
            yield result("bands", draw.choice([0, 3]), unit="%")
    if draw.random() < 0.3:
        yield result("platelets", draw.choice([8, 40, 90, 200]))
    if draw.random() < 0.3:
        yield result("hb", draw.choice([6.5, 9.9, 13.0]), unit="g/dL")
    kind = draw.random()
    if kind < 0.2:
        yield result("wbc", wbc)
    elif kind < 0.35:
        yield result("wbc", round(wbc + draw.choice([0.1, 0.4, 2.0]), 1))
    elif kind < 0.45:
        yield result("wbc", wbc + 1, status="corrected", issued=f"{moment + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}")
    elif kind < 0.55:
        yield result("anc", anc / 2, status=draw.choice(["preliminary", "entered-in-error", "cancelled"]))


@pytest.mark.parametrize("seed", [1, 2])
def test_people_are_answered_for_together_as_alone(tmp_path: Path, seed: int) -> None:
    source = tmp_path / "people.ndjson"
    source.write_text("".join(json.dumps(one) + "\n" for one in people_of(seed, 40)), "utf-8")
    found = leuko.cohort(source, definitions=["dsn"])
    counts, episodes = found.counts.collect(), found.episodes.collect()
    standings = {
        record.patient.id: standing_of(record, library=load_library(), as_of=LATER)
        for record in leuko.read(source).records
    }
    assert len(standings) == 40
    together = sorted(counts.select("person", "analyte", "taken", "has_time", "value", "bound", "derived").rows())
    assert together == sorted(
        (who, count.analyte, count.taken.at.astimezone(UTC), count.taken.has_time, count.value, count.bound,
         count.kind == "derived")
        for who, standing in standings.items()
        for series in standing.cleaned.series.values()
        for count in series
        if count.taken is not None
    )  # fmt: skip
    editions = [name.removesuffix("_least") for name in counts.columns if name.endswith("_least")]
    alone = {}
    for who, standing in standings.items():
        for status in (one for one in standing.every if one.count.taken is not None):
            count, grades = status.count, {f"{one.scheme}_{one.edition}": one.value for one in status.grades}
            key = (who, count.analyte, count.taken.at.astimezone(UTC), count.value, count.bound)
            alone[key] = tuple(grades.get(edition) for edition in editions)
    graded = counts.select("person", "analyte", "taken", "value", "bound", *editions).rows()
    assert {row[:5]: row[5:] for row in graded if row[1] in {key[1] for key in alone}} == alone
    assert _episodes_of(episodes, editions) == sorted(
        (who, one.analyte, one.cut, one.onset.latest, one.nadir_count.value, one.recovery and one.recovery.latest,
         one.recovery_confirmed, one.censoring, one.duration, len(one.counts),
         tuple({f"{grade.scheme}_{grade.edition}": grade.value for grade in one.worst}.get(name) for name in editions))
        for who, standing in standings.items()
        for course in standing.courses.values()
        for one in course.episodes
    )  # fmt: skip


def _episodes_of(episodes: pl.DataFrame, editions: list[str]) -> list[tuple[Any, ...]]:
    return sorted(
        (row["person"], row["analyte"], row["cut"], row["onset_latest"], row["nadir"], row["recovery_latest"],
         row["recovery_confirmed"], row["censoring"], (row["days_least"], row["days_most"]), row["counts"],
         tuple(row[f"worst_{edition}"] for edition in editions))
        for row in episodes.iter_rows(named=True)
    )  # fmt: skip
