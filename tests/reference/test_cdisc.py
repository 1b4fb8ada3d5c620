"""A trial's published CTCAE 4 grades (ADaM ADLB) against leuko's grades of the values they were made from (SDTM LB)."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from leuko.grading import grade
from leuko.units import convert, read_unit

SHARED = Path(os.environ.get("LEUKO_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
FOLDER = SHARED / "data" / "cdisc"
PARAMETERS = {"WBC": "WBC", "PLAT": "PLAT", "LYM": "LYMPH"}

pytestmark = pytest.mark.shared


def read(name: str) -> list[dict[str, str]]:
    if not (FOLDER / name).exists():
        pytest.skip("the CDISC pilot study does not lie beside the checkout")
    with gzip.open(FOLDER / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str, str], dict[str, str]]:
    """The laboratory's own text of each result, by person, time and parameter."""
    rows = read("sdtm_lb_haematology.csv.gz")
    return {
        (row["USUBJID"], row["LBSEQ"], PARAMETERS[row["LBTESTCD"]]): row
        for row in rows
        if row["LBTESTCD"] in PARAMETERS
    }


@pytest.fixture(scope="module")
def published(results) -> dict[str, list[tuple[dict[str, str], int]]]:
    """By parameter: the result as reported, and the grade that was published for it."""
    found: dict[str, list[tuple[dict[str, str], int]]] = {}
    for row in read("adlb_expected_grades.csv.gz"):
        result = results.get((row["USUBJID"], row["LBSEQ"], row["PARAMCD"]))
        if result is not None and not row["DTYPE"] and row["ATOXGRL"]:
            found.setdefault(row["PARAMCD"], []).append((result, int(row["ATOXGRL"])))
    return found


def grades(rows: list[tuple[dict[str, str], int]], analyte: str) -> Iterator[tuple[float, int | None, int]]:
    """Value, leuko's grade and the published one."""
    for row, expected in rows:
        unit = read_unit(row["LBORRESU"])
        value, low = convert(row["LBORRES"], unit), convert(row["LBORNRLO"], unit)
        found = grade(value, analyte=analyte, scheme="ctcae", edition="4", lab_low=low)
        yield value, found.value, expected


@pytest.mark.parametrize(
    ("parameter", "analyte", "compared", "graded"), [("WBC", "wbc", 1809, 38), ("PLAT", "platelets", 1788, 17)]
)
def test_white_cells_and_platelets_have_the_published_grades(published, parameter, analyte, compared, graded) -> None:
    found = list(grades(published[parameter], analyte))
    assert len(found) == compared
    assert sum(1 for _, _, expected in found if expected > 0) == graded
    assert [row for row in found if row[1] != row[2]] == []


def test_lymphocytes_were_published_with_the_limits_of_cd4_cells(published) -> None:
    """The published term is "CD4 lymphocytes decreased". With the CD4 limits every grade is reproduced.

    With the limits of "Lymphocyte count decreased" the grades differ exactly where the tables do: below 0.8, where CD4
    cells are still grade 1 down to 0.5 and lymphocytes already grade 2.
    """
    as_cd4 = list(grades(published["LYMPH"], "cd4"))
    assert len(as_cd4) == 1796
    assert [row for row in as_cd4 if row[1] != row[2]] == []
    as_lymphocytes = list(grades(published["LYMPH"], "lymphocytes"))
    apart = [row for row in as_lymphocytes if row[1] != row[2]]
    assert apart
    assert all(value < 0.8 and found is not None and found > expected for value, found, expected in apart)
    assert all(found == expected for value, found, expected in as_lymphocytes if value >= 0.8)
