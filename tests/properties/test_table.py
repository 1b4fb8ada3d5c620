"""Whatever the bytes, a table is read, or refused in words; and how it is written does not change the counts."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.errors import LeukoError
from leuko.intake import table
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.knowledge import load_library

LIBRARY = load_library()
NAMES = {"wbc": "WBC", "neutrophils": "ANC", "lymphocytes": "Lymphocytes", "platelets": "PLT"}


def read(data: bytes, name: str = "labs.csv") -> Intake:
    return table.read([Blob(name=name, data=data)], options=ReadOptions(patient="P"), library=LIBRARY)


def counts(intake: Intake) -> set[tuple[str, str, str, float]]:
    return {
        (r.patient.id, str(c.taken.day) if c.taken else "", c.analyte, c.value)
        for r in intake.records
        for c in r.counts
    }


@dataclass(frozen=True)
class Draw:
    """One draw: a person, a day, and values in 10^9/L by analyte."""

    person: str
    day: date
    values: dict[str, float]


day = st.integers(0, 8000).map(lambda n: date(2004, 1, 1) + timedelta(days=n))
# sizes that are plausible for all four, so that every value is a count
value = st.integers(1000, 4900).map(lambda n: n / 100)
draws = st.lists(
    st.builds(
        Draw,
        person=st.sampled_from(["A1", "B2", "C3"]),
        day=day,
        values=st.dictionaries(st.sampled_from(sorted(NAMES)), value, min_size=1),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda draw: (draw.person, draw.day),
)


def written(rows: list[list[str]], separator: str = ",") -> str:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows(rows)
    return stream.getvalue()


def number(value_: float, mark: str) -> str:
    return f"{value_:.2f}".replace(".", mark)


def long(found: list[Draw], mark: str = ".") -> list[list[str]]:
    rows = [["patient", "date", "test", "result", "units"]]
    for draw in found:
        rows += [[draw.person, str(draw.day), NAMES[a], number(v, mark), "10*9/L"] for a, v in draw.values.items()]
    return rows


def wide(found: list[Draw], mark: str = ".") -> list[list[str]]:
    rows = [["patient", "date", *(f"{name} (10*9/L)" for name in NAMES.values())]]
    return rows + [
        [draw.person, str(draw.day), *(number(draw.values[a], mark) if a in draw.values else "" for a in NAMES)]
        for draw in found
    ]


def expected(found: list[Draw]) -> set[tuple[str, str, str, float]]:
    return {(draw.person, str(draw.day), analyte, value_) for draw in found for analyte, value_ in draw.values.items()}


@given(
    draws,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.booleans(),
)
def test_how_it_is_written_does_not_change_the_counts(
    found: list[Draw], separator: str, encoding: str, comma: bool
) -> None:
    mark = "," if comma else "."
    for layout in (long, wide):
        intake = read(written(layout(found, mark), separator).encode(encoding))
        assert counts(intake) == expected(found)
        assert not any(notice.data_lost for notice in intake.notices)


@given(draws, st.data())
def test_the_order_of_columns_and_rows_does_not_change_the_counts(found: list[Draw], data: st.DataObject) -> None:
    for layout in (long, wide):
        rows = layout(found)
        order = data.draw(st.permutations(range(len(rows[0]))))
        body = data.draw(st.permutations(rows[1:]))
        moved = [[row[i] for i in order] for row in [rows[0], *body]]
        assert counts(read(written(moved).encode())) == expected(found)


@given(draws)
def test_a_transposed_table_of_one_person_gives_the_same_counts(found: list[Draw]) -> None:
    mine = [draw for draw in found if draw.person == found[0].person]
    rows = [["Parameter", "Unit", *(str(draw.day) for draw in mine)]]
    for analyte, name in NAMES.items():
        rows.append(
            [name, "10*9/L", *(number(draw.values[analyte], ".") if analyte in draw.values else "" for draw in mine)]
        )
    assert counts(read(written(rows).encode())) == {("P", *rest) for _, *rest in expected(mine)}


def survives(data: bytes, name: str) -> None:
    """Reading raises nothing but leuko's own errors, and whatever it read points into the file."""
    blob = Blob(name=name, data=data)
    assert table.claims(blob) in {True, False}
    with contextlib.suppress(LeukoError):
        intake = read(data, name)
        assert all(notice.code in LIBRARY.notices and notice.text for notice in intake.notices)
        assert all(c.origin.place.source.startswith(name) for r in intake.records for c in r.counts)


@given(st.binary(max_size=600), st.sampled_from(["a.csv", "a.xlsx", "a.parquet", "a"]))
def test_any_bytes(data: bytes, name: str) -> None:
    survives(data, name)


@given(st.text(alphabet=st.sampled_from(list('0123456789.,;|\t\n"<>/-: %()#[]PWBCANDatevlu²µéx')), max_size=400))
def test_any_text_of_the_letters_that_tables_use(text: str) -> None:
    survives(text.encode(), "a.csv")
    survives(("date,test,result,units,patient\n" + text).encode(), "a.csv")
    survives(("Datum;WBC (G/L);;ANC\n" + text).encode(), "a.csv")


@settings(max_examples=60)
@given(draws, st.integers(0, 5000), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_file_that_was_damaged(found: list[Draw], at: int, noise: bytes, cut: bool) -> None:
    data = written(long(found)).encode()
    at %= len(data)
    survives(data[:at] + noise + (b"" if cut else data[at:]), "a.csv")
