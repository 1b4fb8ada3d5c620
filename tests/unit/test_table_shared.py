"""Real exports of analysers and of a trial, which nobody of this project wrote."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from leuko.intake import table
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.knowledge import load_library

SHARED = Path(os.environ.get("LEUKO_SHARED") or Path(__file__).resolve().parents[2].parent / "shared") / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real files do not lie beside the checkout"),
]


def read(*names: str) -> Intake:
    blobs = []
    for name in names:
        data = (SHARED / name).read_bytes()
        packed = name.endswith(".gz")
        blobs.append(Blob(name=Path(name).name.removesuffix(".gz"), data=gzip.decompress(data) if packed else data))
    assert all(map(table.claims, blobs))
    return table.read(blobs, options=ReadOptions(), library=load_library())


def only(intake: Intake) -> dict[str, float]:
    (record,) = intake.records
    return {count.analyte: count.value for count in record.counts}


def test_sysmex_counts_are_in_tens_per_microlitre() -> None:
    values = only(read("analyser_csv/senaite_SysmexXS-500i.csv"))
    assert (values["wbc"], values["neutrophils"], values["neutrophils_percent"]) == (8.06, 4.37, 54.2)
    assert (values["platelets"], values["haemoglobin"]) == (212.0, 135.0)
    other = read("analyser_csv/senaite_sysmex_XS-1000i.csv")
    assert (only(other)["wbc"], only(other)["neutrophils"]) == (11.12, 7.05)
    taken = other.records[0].counts[0].taken
    assert taken is not None
    assert taken.at.isoformat() == "2015-02-23T10:04:32+00:00"
    # one unit of the export, "10/uL%", is none; the value is refused and said
    assert [n.place.pointer for n in other.notices if n.data_lost] == ["column IG#(10/uL%)"]


def test_scil_has_decimal_commas_units_beside_and_granulocytes() -> None:
    intake = read("analyser_csv/senaite_Scilvetabcplus.xls.csv")
    values = only(intake)
    assert (values["wbc"], values["granulocytes"], values["lymphocytes"]) == (8.0, 5.2, 2.5)
    assert "neutrophils" not in values
    assert intake.records[0].patient.id == "44"
    taken = intake.records[0].counts[0].taken
    assert taken is not None
    assert taken.day == date(2015, 3, 3)
    assert not any(n.data_lost for n in intake.notices)


def test_hl7_messages_are_not_claimed() -> None:
    name = "senaite_2012-05-09_11-06-14-425_CBDB6A.txt"
    assert not table.claims(Blob(name=name, data=(SHARED / "analyser_csv" / name).read_bytes()))


def test_every_row_of_the_trials_laboratory_is_accounted_for() -> None:
    intake = read("cdisc/sdtm_lb_haematology.csv.gz", "cdisc/sdtm_dm.csv.gz", "cdisc/sdtm_ex.csv.gz")
    found = Counter(count.analyte for record in intake.records for count in record.counts)
    assert sum(found.values()) == 16237
    assert (found["wbc"], found["platelets"], found["lymphocytes_percent"]) == (1809, 1788, 12)
    assert not any(notice.data_lost for notice in intake.notices)
    measured = [record for record in intake.records if record.counts]
    assert len(measured) == 254
    assert all(record.patient.born and record.patient.sex for record in measured)
    assert sum(len(record.doses) for record in intake.records) == 591
