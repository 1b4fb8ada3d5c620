"""CDISC SDTM: which domain a data set is, and its rows as frames (LB, DM, EX, CM, PR, AE, VS).

The value is the one that was collected (LBORRES), with its own unit and limits; where it is missing, the standardised
one. A date of which only month or year is known places a result in no day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from leuko.cohort.read.base import Frames, Reading
from leuko.cohort.read.distinct import mapped
from leuko.cohort.read.judge import Judge
from leuko.cohort.read.opened import Table
from leuko.cohort.read.rows import births, day_of, one_day, texts, with_medicines, with_person, with_span, with_times
from leuko.intake.table.dates import DateReader
from leuko.intake.table.words import key_of, load_words

# Which domain has which columns, the most telling first.
SIGNS_OF: Final[dict[str, tuple[str, ...]]] = {
    "LB": ("USUBJID", "LBTESTCD"),
    "EX": ("USUBJID", "EXTRT"),
    "CM": ("USUBJID", "CMTRT"),
    "PR": ("USUBJID", "PRTRT"),
    "AE": ("USUBJID", "AETERM"),
    "VS": ("USUBJID", "VSTESTCD"),
    "DM": ("USUBJID", "SEX", "DOMAIN"),
}
_LB: Final = (
    "USUBJID", "LBTESTCD", "LBTEST", "LBLOINC", "LBORRES", "LBORRESU", "LBORNRLO", "LBORNRHI", "LBSTRESC", "LBSTRESN",
    "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "LBSTAT", "LBREASND", "LBSPEC", "LBMETHOD", "LBDRVFL", "LBREFID", "LBDTC",
)  # fmt: skip
_NOT_GIVEN: Final = {"EX": "not-done", "CM": "stated"}
_LBTESTCD: Final = "cdisc:LBTESTCD"


def kind_of(table: Table) -> str | None:
    """Which domain this is; "unused" for one that holds nothing for a cohort of counts."""
    if table.has("PARAMCD") or table.has("AVAL"):
        return None  # ADaM: an analysis of what SDTM holds
    for kind, signs in SIGNS_OF.items():
        if table.has(*signs):
            return kind
    return "unused" if table.has("STUDYID", "DOMAIN") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sdtm:
    """One study being read."""

    reading: Reading
    judge: Judge
    dates: DateReader

    def read(self, kind: str, table: Table) -> Iterator[Frames]:
        """The rows of one domain, piece by piece."""
        by_kind: dict[str, Callable[[Table], Iterator[Frames]]] = {
            "LB": self._lb, "DM": self._dm, "EX": self._ex, "CM": self._cm, "PR": self._pr, "AE": self._ae,
            "VS": self._vs,
        }  # fmt: skip
        return by_kind[kind](table)

    def _chunks(self, table: Table, columns: tuple[str, ...]) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
        for chunk in table.named(columns):
            frame = texts(chunk, *(name for name in columns if not name.endswith("STRESN")))
            frame, notices = with_person(frame.rename({"USUBJID": "person"}), table.file, self.reading)
            yield chunk.height, frame.with_columns(pl.lit(table.file).alias("file")), notices

    # ---- LB ----------------------------------------------------------------------------------------------------------

    def _lb(self, table: Table) -> Iterator[Frames]:
        for rows, chunk, told_person in self._chunks(table, _LB):
            frame, told_set = self._collected(chunk, table.file)
            frame, told_time = with_times(frame, "LBDTC", self.dates, file=table.file, reading=self.reading)
            judged = self.judge.judge(self._coded(frame))
            notices = pl.concat([told_person, told_set, told_time, judged.notices])
            yield self.reading.frames(rows=rows, results=judged.results, notices=notices)

    def _collected(self, frame: pl.DataFrame, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The collected or the standardised value; rows that were not done or are derived are set aside."""
        rows = []
        derived = pl.col("LBDRVFL").fill_null("") == "Y"
        done = (pl.col("LBSTAT").fill_null("") != "NOT DONE") | pl.col("LBORRES").is_not_null()
        for code, gone, text in (
            ("LK527", derived, "rows marked as derived are not read twice"),
            ("LK215", ~derived & ~done, "tests that were not done"),
        ):
            found = frame.filter(gone)
            if found.height:
                row = found["row"].min()
                rows.append(
                    self.reading.row(code, f"{text} ({found.height})", file=file, row=row, rows=found.height)  # type: ignore[arg-type]
                )
        frame = frame.filter(~derived & done)
        standard = pl.coalesce("LBSTRESC", pl.col("LBSTRESN").cast(pl.String))
        bare = pl.col("LBORRES").is_null() & standard.is_not_null()
        used = frame.filter(bare)
        if used.height:
            text = f"LBORRES is empty; the standardised result was used ({used.height} rows)"
            rows.append(self.reading.row("LK709", text, file=file, row=used["row"].min()))  # type: ignore[arg-type]
        pairs = {
            "value_text": ("LBORRES", standard),
            "unit_text": ("LBORRESU", pl.col("LBSTRESU")),
            "low_text": ("LBORNRLO", pl.col("LBSTNRLO")),
            "high_text": ("LBORNRHI", pl.col("LBSTNRHI")),
        }
        frame = frame.with_columns(
            pl.when(bare).then(other).otherwise(pl.col(own)).alias(name) for name, (own, other) in pairs.items()
        )
        words = load_words().absent
        absent = pl.col("value_text").str.to_lowercase().is_in(list(words))
        frame = frame.with_columns(pl.when(~absent).then(pl.col("value_text")).alias("value_text"))
        return frame, self.reading.notices(rows)

    @staticmethod
    def _coded(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            pl.col("LBTESTCD").alias("code"),
            pl.lit(_LBTESTCD).alias("system"),
            pl.col("LBLOINC").alias("code2"),
            pl.lit("http://loinc.org").alias("system2"),
            pl.col("LBTEST").alias("name"),
            pl.col("LBSPEC").alias("specimen"),
            pl.col("LBMETHOD").alias("method"),
            pl.col("LBREFID").alias("draw"),
        )

    # ---- DM ----------------------------------------------------------------------------------------------------------

    def _dm(self, table: Table) -> Iterator[Frames]:
        columns = ("USUBJID", "BRTHDTC", "SEX", "ARM", "ACTARM", "RFSTDTC", "RFENDTC", "RFPENDTC", "DTHDTC", "AGE")
        words = load_words().sex
        for _, frame, told_person in self._chunks(table, columns):
            born, precision = births(frame["BRTHDTC"], self.dates)
            sex = mapped(frame["SEX"], lambda text: words.get(key_of(text)), pl.String())
            start, end = day_of(frame["RFSTDTC"], self.dates), day_of(frame["RFPENDTC"], self.dates)
            people = frame.with_columns(born, precision, start.alias("start")).with_columns(
                sex.replace({"other": None}).alias("sex"),
                pl.coalesce("ACTARM", "ARM").alias("arm"),
                pl.coalesce(end, day_of(frame["RFENDTC"], self.dates)).alias("end"),
            )
            notices = pl.concat([told_person, self._tell_ages(frame, table.file)])
            yield self.reading.frames(people=people, notices=notices, facts=self._deaths(frame))

    def _tell_ages(self, frame: pl.DataFrame, file: str) -> pl.DataFrame:
        ages = frame.filter(pl.col("BRTHDTC").is_null() & pl.col("AGE").is_not_null())
        if ages.height == 0:
            return self.reading.frame("notices")
        text = f"an age without a birth date; the age is not used ({ages.height} people)"
        return self.reading.say("LK522", text, file=file, row=ages["row"].min())  # type: ignore[arg-type]

    def _deaths(self, frame: pl.DataFrame) -> pl.DataFrame:
        dead = frame.filter(pl.col("DTHDTC").is_not_null())
        found = day_of(dead["DTHDTC"], self.dates).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return dead.with_columns(
            found.alias("start"), pl.lit("death").alias("kind"), pl.lit("death").alias("name")
        ).select("person", "kind", "name", "start", "file", "row")

    # ---- EX, CM ------------------------------------------------------------------------------------------------------

    def _ex(self, table: Table) -> Iterator[Frames]:
        given = (pl.col("EXOCCUR").fill_null("") != "N") & (pl.col("EXSTAT").fill_null("") != "NOT DONE")
        return self._medicines(table, "EX", ("EXTRT",), given, more=("EXOCCUR", "EXSTAT"))

    def _cm(self, table: Table) -> Iterator[Frames]:
        # a concomitant medicine was stated, not seen to be given
        return self._medicines(table, "CM", ("CMDECOD", "CMTRT"), pl.lit(value=False), more=("CMOCCUR",))

    def _medicines(
        self, table: Table, domain: str, names: tuple[str, ...], given: pl.Expr, *, more: tuple[str, ...]
    ) -> Iterator[Frames]:
        span = (f"{domain}STDTC", f"{domain}ENDTC")
        dose = tuple(f"{domain}{what}" for what in ("DOSE", "DOSU", "ROUTE"))
        for _, chunk, notices in self._chunks(table, ("USUBJID", *names, *span, *dose, *more)):
            amount, unit, route = (pl.col(name) for name in dose)
            frame = chunk.with_columns(
                pl.coalesce(names).alias("name"), given.alias("given"), unit.alias("unit"), route.alias("route")
            )
            if domain == "CM":
                frame = frame.filter(pl.col("CMOCCUR").fill_null("") != "N")
            # of a medicine that was not given nobody may think that it was
            status = pl.when("given").then(pl.lit("completed")).otherwise(pl.lit(_NOT_GIVEN[domain]))
            frame, told_names = with_medicines(frame, file=table.file, reading=self.reading)
            treatments, told_times = self._span(frame, span, table.file)
            treatments = treatments.with_columns(
                one_day(treatments, amount.cast(pl.Float64, strict=False)).alias("amount"), status.alias("status")
            )
            yield self.reading.frames(treatments=treatments, notices=pl.concat([notices, told_names, told_times]))

    def _span(self, frame: pl.DataFrame, span: tuple[str, str], file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        columns = dict(zip(("start", "end"), span, strict=True))
        return with_span(frame, columns, self.dates, file=file, reading=self.reading)

    # ---- PR, AE, VS --------------------------------------------------------------------------------------------------

    def _pr(self, table: Table) -> Iterator[Frames]:
        span = ("PRSTDTC", "PRENDTC")
        for _, chunk, notices in self._chunks(table, ("USUBJID", "PRTRT", "PRDECOD", "PROCCUR", "PRSTAT", *span)):
            undone = (pl.col("PROCCUR").fill_null("") == "N") | (pl.col("PRSTAT").fill_null("") == "NOT DONE")
            frame, told_times = self._span(chunk.filter(~undone), span, table.file)
            frame = frame.with_columns(pl.lit("procedure").alias("kind"), pl.coalesce("PRDECOD", "PRTRT").alias("name"))
            yield self.reading.frames(facts=frame, notices=pl.concat([notices, told_times]))

    def _ae(self, table: Table) -> Iterator[Frames]:
        span = ("AESTDTC", "AEENDTC")
        for _, chunk, notices in self._chunks(table, ("USUBJID", "AETERM", "AEDECOD", "AEPTCD", "AETOXGR", *span)):
            frame, told_times = self._span(chunk, span, table.file)
            frame = frame.with_columns(
                pl.lit("adverse_event").alias("kind"),
                pl.coalesce("AEDECOD", "AETERM").alias("name"),
                pl.col("AEPTCD").alias("code"),
                pl.when(pl.col("AEPTCD").is_not_null()).then(pl.lit("meddra")).alias("system"),
                pl.col("AETOXGR").alias("grade"),
            )
            yield self.reading.frames(facts=frame, notices=pl.concat([notices, told_times]))

    def _vs(self, table: Table) -> Iterator[Frames]:
        columns = ("USUBJID", "VSTESTCD", "VSTEST", "VSORRES", "VSORRESU", "VSSTRESN", "VSSTRESU", "VSDTC")
        for _, chunk, notices in self._chunks(table, columns):
            frame, told_time = with_times(chunk, "VSDTC", self.dates, file=table.file, reading=self.reading)
            collected = pl.col("VSORRES").cast(pl.Float64, strict=False)
            signs = frame.with_columns(
                pl.when(pl.col("VSTESTCD") == "TEMP")
                .then(pl.lit("body temperature"))
                .otherwise("VSTEST")
                .alias("name"),
                pl.coalesce(collected, pl.col("VSSTRESN").cast(pl.Float64, strict=False)).alias("value"),
                pl.when(collected.is_not_null()).then("VSORRESU").otherwise("VSSTRESU").alias("unit"),
            ).filter(pl.col("value").is_not_null())
            yield self.reading.frames(signs=signs, notices=pl.concat([notices, told_time]))
