"""Records of single people, as the readers for one person make them, as frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from leuko.cohort.frames import codes_text
from leuko.cohort.read.base import Frames, Reading, told
from leuko.cohort.read.distinct import instant
from leuko.cohort.read.judge import printed
from leuko.cohort.read.rows import with_medicines
from leuko.errors import Notice
from leuko.record import Code, Count, Dose, Record


def frames_of(records: Iterable[Record], notices: Iterable[Notice], reading: Reading, *, file: str = "") -> Frames:
    """The frames of some records and of the notices that came with them.

    `rows` counts the results that were used and the notices of lost ones: a record does not tell what it was read from.
    """
    listed = list(records)
    results = [_result(record, count) for record in listed for count in record.counts]
    lines = [
        {**told(notice), "person": notice.person, "rows": int(notice.data_lost and notice.severity == "error")}
        for notice in notices
    ]
    treatments, told_names = _treatments(listed, reading, file)
    found = _notices(lines, reading)
    return reading.frames(
        rows=len(results) + sum(line["rows"] for line in lines),
        results=_table(results, reading, "results"),
        people=_table([_person(record) for record in listed], reading, "people"),
        treatments=treatments,
        signs=_table([row for record in listed for row in _signs(record)], reading, "signs"),
        facts=_table([row for record in listed for row in _facts(record)], reading, "facts"),
        notices=pl.concat([found, told_names]),
    )


def _table(rows: Sequence[dict[str, Any]], reading: Reading, name: str) -> pl.DataFrame:
    kinds = reading.schema(name)
    if not rows:
        return pl.DataFrame(schema=kinds)
    columns = {column: [row.get(column) for row in rows] for column in kinds}
    return pl.DataFrame(columns, schema={**kinds, "person": pl.String()}, strict=False).with_columns(
        pl.col("person").cast(reading.person)
    )


def _notices(rows: list[dict[str, Any]], reading: Reading) -> pl.DataFrame:
    return _table(rows, reading, "notices")


def _result(record: Record, count: Count) -> dict[str, Any]:
    return {
        "person": record.patient.id,
        "analyte": count.analyte,
        "value": count.value,
        "bound": count.bound,
        "taken": instant(count.taken),
        "has_time": count.taken is not None and count.taken.has_time,
        "low": count.lab_low,
        "high": count.lab_high,
        "draw": count.draw,
        "status": count.status,
        "sequence": None if count.issued is None else int(count.issued.at.timestamp() * 1_000_000),
        "digits": printed(count),
        "file": count.origin.place.source,
        "row": count.origin.place.line,
    }


def _person(record: Record) -> dict[str, Any]:
    patient = record.patient
    return {
        "person": patient.id,
        "born": patient.born,
        "born_precision": None if patient.born is None else patient.born_precision,
        "sex": patient.sex,
    }


def _treatments(records: Sequence[Record], reading: Reading, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    doses: list[tuple[Record, Dose]] = [(record, dose) for record in records for dose in record.doses]
    if not doses:
        return reading.frame("treatments"), reading.frame("notices")
    codes: dict[str, tuple[Code, ...]] = {dose.drug: dose.codes for _, dose in doses}
    kinds = {**reading.schema("treatments"), "person": pl.String()}
    frame = pl.DataFrame([_dose(record, dose) for record, dose in doses], schema=kinds).drop("drug", "cytotoxic")
    placed, notices = with_medicines(frame, file=file, reading=reading, codes=codes)
    return reading.frame("treatments", placed), notices


def _dose(record: Record, dose: Dose) -> dict[str, Any]:
    return {
        "person": record.patient.id,
        "name": dose.drug,
        "start": instant(dose.start),
        "end": instant(dose.end),
        "given": dose.given,
        "has_time": dose.start is not None and dose.start.has_time,
        "amount": dose.amount,
        "unit": dose.unit,
        "route": dose.route,
        "hours": dose.hours,
        "regimen": dose.regimen,
        "cycle": dose.cycle,
        "day": dose.day,
        "status": dose.status,
        "codes": codes_text(dose.codes),
        "file": dose.origin.place.source,
        "row": dose.origin.place.line,
    }


def _signs(record: Record) -> Iterable[dict[str, Any]]:
    for sign in record.signs:
        yield {
            "person": record.patient.id,
            "name": sign.name,
            "value": sign.value,
            "unit": sign.unit,
            "taken": instant(sign.taken),
            "has_time": sign.taken is not None and sign.taken.has_time,
            "text": sign.text,
            "present": sign.present,
            "codes": codes_text(sign.codes),
            "file": sign.origin.place.source,
            "row": sign.origin.place.line,
        }


def _facts(record: Record) -> Iterable[dict[str, Any]]:
    for fact in record.facts:
        code = fact.codes[0] if fact.codes else None
        yield {
            "person": record.patient.id,
            "kind": fact.kind,
            "name": fact.name,
            "code": None if code is None else code.code,
            "system": None if code is None else code.system,
            "start": instant(fact.start),
            "end": instant(fact.end),
            "grade": None,
            "has_time": fact.start is not None and fact.start.has_time,
            "status": fact.status,
            "detail": fact.detail,
            "recorded": instant(fact.recorded),
            "codes": codes_text(fact.codes),
            "file": fact.origin.place.source,
            "row": fact.origin.place.line,
        }
    if record.patient.died is not None:
        died = datetime(record.patient.died.year, record.patient.died.month, record.patient.died.day, tzinfo=UTC)
        yield {"person": record.patient.id, "kind": "death", "name": "death", "start": died}
