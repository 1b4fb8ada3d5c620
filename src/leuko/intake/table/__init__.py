"""Tables of blood counts: CSV, TSV and other separated text, copied reports, workbooks (XLSX, ODS), Parquet.

A table may hold one person or many, one result a row (long), one draw a row (wide), or analytes in rows and dates in
columns (transposed); also a table of medicines, or of people. What its columns are is sniffed from their headers, in
seven languages, and shown in one notice a table (LK504). Where sniffing is not enough, nothing is guessed, and a column
map says it:

    # every key is optional; what is not said is sniffed
    layout = "long"                    # long, wide, transposed, doses, people
    separator = ";"                    # one character, or "tab"
    encoding = "cp1252"
    decimal = ","                      # "," or "."
    header_line = 4                    # as an editor counts; 0: there is no header, columns are named by number
    date_format = "%d/%m/%Y %H:%M"     # strptime, one or a list
    sheet = "Blutbild"                 # of a workbook
    patient = "P-17"                   # whose counts they are, where no column says it
    specimen = "blood"

    [columns]                          # role = header, or number from 1
    date = "Entnahme"                  # roles: patient, patient_name, born, sex, age, date, time, issued, analyte,
    analyte = "Test"                   # code, value, unit, low, high, range, flag, specimen, status, absent,
    value = 5                          # absent_reason, method, sample, comparator, derived, drug, start, stop, dose,
                                       # dose_unit, route, regimen, cycle, ignore

    [analytes]                         # what the table calls it = leuko's analyte; in a table without header, a number
    "Leukos gesamt" = "wbc"

    [units]                            # analyte, or what the table calls it = unit, where the table names none
    wbc = "G/L"

A row without a person belongs to `ReadOptions.patient`, else to a stand-in named after the file; where a table has a
column for the person that is empty (an analyser's work list), each sample stands by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from leuko.errors import LeukoError, Notice, Place, UnreadableInput
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.table.binary import is_parquet, is_workbook
from leuko.intake.table.columnmap import load_map
from leuko.intake.table.people import People
from leuko.intake.table.spaced import spaced
from leuko.intake.table.tell import Teller
from leuko.intake.table.text import SEPARATORS, decode
from leuko.knowledge import Library

NAME = "table"
_EXTENSIONS = (".csv", ".tsv", ".tab", ".psv", ".txt")
_HEAD = 20_000  # bytes looked at to recognise a table
_OTHER_TEXT = re.compile(r"\s*(?:[{\[<]|%PDF|(?:MSH|FHS|BHS)([^\w\s])(?!\1)[^\w\s]|[HL]\|[\\^~&]|HEADER RECORD|#!)")


def claims(blob: Blob) -> bool:
    """Whether the bytes are a workbook, a Parquet file or separated text; HL7 v2, ASTM, JSON and XML are not."""
    data = blob.data
    if is_parquet(data) or is_workbook(data):
        return True
    if not data.strip():
        return False
    return _claims_text(blob.name.casefold(), data[:_HEAD])


def _claims_text(name: str, head: bytes) -> bool:
    try:
        text, _ = decode(name, head[: len(head) // 4 * 4])
    except UnreadableInput:
        return False
    text = text.lstrip("\x0b")
    if _OTHER_TEXT.match(text) or sum(not (c.isprintable() or c.isspace()) for c in text) > len(text) // 100:
        return False
    if name.endswith(_EXTENSIONS[:-1]):
        return True
    lines = [line for line in text.splitlines() if line.strip()][:50]
    return any(sum(mark in line for line in lines) > len(lines) // 2 for mark in SEPARATORS) or spaced(text) is not None


def read(blobs: Sequence[Blob], *, options: ReadOptions, library: Library) -> Intake:
    """Read all tables together: people, counts and medicines of one study may stand in different files.

    Raises UsageError for a column map that is wrong or does not fit, UnreadableInput where the only table cannot be
    read.
    """
    from leuko.intake.table.tables import read_table  # noqa: PLC0415 (tables are not always read)

    column_map = load_map(options.columns, library=library)
    people = People()
    notices: list[Notice] = []
    for blob in blobs:
        teller = Teller(source=blob.name, library=library)
        try:
            notices += read_table(
                blob,
                people=people,
                options=options,
                library=library,
                column_map=column_map,
                teller=teller,
                alone=len(blobs) == 1,
            )
        except UnreadableInput as error:
            if len(blobs) == 1:
                raise
            notices += [*teller.finish(), _unreadable(error, blob, library)]
    closing = Teller(source=blobs[0].name if blobs else "", library=library)
    records = people.records(closing)
    return Intake(records=records, notices=(*notices, *closing.finish()))


def _unreadable(error: LeukoError, blob: Blob, library: Library) -> Notice:
    entry = library.notices["LK500"]
    text = f"{error.what}: {error.why}" if error.why else error.what
    return Notice(
        code="LK500",
        severity=entry.severity,
        text=text,
        place=Place(source=blob.name),
        help=error.do or entry.help,
        data_lost=True,
    )
