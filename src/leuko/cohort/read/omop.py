"""OMOP common data model 5.3 and 5.4: which of its tables a file is, and its rows as frames.

The value is `value_as_number`; where only the source's text is there ("<0.1"), that. Code and unit are the concepts,
with the source's own words beside them, so that one can contradict the other. Concept 0 says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import polars as pl
import rtoml

from leuko.cohort.frames import codes_text
from leuko.cohort.read.base import Frames, Reading
from leuko.cohort.read.distinct import cleaned, mapped
from leuko.cohort.read.judge import Judge
from leuko.cohort.read.opened import Table
from leuko.cohort.read.rows import day_of, texts, with_medicines, with_person, with_times
from leuko.intake.table.dates import DateReader
from leuko.intake.unit_choice import read_quietly
from leuko.record import Code
from leuko.units import OMOP, UCUM, UnitRefused

LOINC: Final = "http://loinc.org"
_LOINC_SHAPE: Final = r"^\d{1,6}-\d$"
_ANCESTRY: Final = ("ancestor_concept_id", "descendant_concept_id")
# Which table has which columns, the most telling first.
SIGNS_OF: Final[dict[str, tuple[str, ...]]] = {
    "measurement": ("measurement_concept_id", "person_id"),
    "person": ("year_of_birth", "person_id"),
    "observation_period": ("observation_period_start_date", "person_id"),
    "drug_exposure": ("drug_exposure_start_date", "person_id"),
    "condition_occurrence": ("condition_start_date", "condition_concept_id", "person_id"),
    "procedure_occurrence": ("procedure_date", "procedure_concept_id", "person_id"),
    "visit_occurrence": ("visit_start_date", "visit_concept_id", "person_id"),
    "death": ("death_date", "person_id"),
    "concept": ("concept_id", "concept_code", "vocabulary_id"),
    "concept_ancestor": _ANCESTRY,
}
_OTHERS: Final = ("care_site_id", "provider_id", "location_id", "vocabulary_id", "person_id")
# The columns of tables that hold nothing for a cohort of counts and no columns of the kinds above.
_UNUSED: Final = (
    ("cdm_source_name", "cdm_version"),
    ("location_id", "location_source_value"),
    ("note_nlp_id", "note_id"),
    ("domain_concept_id_1", "fact_id_1"),
    ("cost_id", "cost_event_id"),
    ("episode_id", "event_id"),
    ("metadata_concept_id", "metadata_type_concept_id"),
    ("domain_id", "domain_name"),
    ("concept_class_id", "concept_class_name"),
    ("concept_id_1", "concept_id_2", "relationship_id"),
    ("relationship_id", "relationship_name"),
    ("concept_id", "concept_synonym_name"),
    ("source_code", "source_vocabulary_id", "target_concept_id"),
    ("drug_concept_id", "ingredient_concept_id"),
    ("cohort_definition_id", "subject_id"),
    ("cohort_definition_id", "cohort_definition_name"),
    ("attribute_definition_id", "attribute_name"),
)


def kind_of(table: Table) -> str | None:
    """Which table of the common data model this is; "unused" for one that holds nothing for a cohort of counts."""
    for kind, signs in SIGNS_OF.items():
        if table.has(*signs):
            return kind
    if any(table.has(*signs) for signs in _UNUSED):
        return "unused"
    concepts = sum(column.casefold().endswith("concept_id") for column in table.columns)
    return "unused" if concepts and any(table.has(name) for name in _OTHERS) else None


@lru_cache(maxsize=1)
def concepts() -> dict[str, dict[str, str]]:
    """The confirmed concepts beside analytes and units, by what they say."""
    raw = rtoml.loads((resources.files("leuko") / "data" / "omop" / "concepts.toml").read_text(encoding="utf-8"))
    return {name: dict(rows) for name, rows in raw.items() if name != "basis"}


@dataclass(slots=True, kw_only=True)
class Vocabulary:
    """What the source's own CONCEPT and CONCEPT_ANCESTOR tables say of the concepts that occur in it.

    `within` are the concepts asked for that a concept descends from, as in `frames.FACTS`.
    """

    rows: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    within: dict[str, str] = field(default_factory=dict)

    def code(self, concept: str, vocabulary: str) -> str | None:
        """The code of a concept in a vocabulary, None where it is of another."""
        found = self.rows.get(concept)
        return found[1] if found is not None and found[0] == vocabulary else None

    def codes(self, concept: str) -> str | None:
        """The code of a concept with its system, as `codes_text` writes it, in vocabularies that have one."""
        vocabulary, code, _ = self.rows.get(concept, ("", "", ""))
        system = concepts()["vocabulary"].get(vocabulary)
        return codes_text((Code(system=system, code=code),)) if system else None

    def name(self, concept: str) -> str | None:
        """The name of a concept."""
        found = self.rows.get(concept)
        return found[2] if found is not None else None


_CONCEPT_COLUMNS: Final = {
    "measurement": ("measurement_concept_id", "unit_concept_id"),
    "drug_exposure": ("drug_concept_id",),
    "condition_occurrence": ("condition_concept_id",),
    "procedure_occurrence": ("procedure_concept_id",),
    "visit_occurrence": ("visit_concept_id",),
}


def vocabulary_of(tables: Sequence[tuple[str, Table]], asked: Collection[int] = ()) -> Vocabulary:
    """The concepts that the events name, looked up in the source's CONCEPT tables, where it has any.

    `asked` are the concepts of definitions, whose descendants are looked up in CONCEPT_ANCESTOR.
    """
    return Vocabulary(rows=_named(tables), within=_descent(tables, asked))


def _descent(tables: Sequence[tuple[str, Table]], asked: Collection[int]) -> dict[str, str]:
    """The concepts asked for that each concept descends from, itself among them."""
    found: dict[str, set[str]] = {}
    wanted = {str(concept) for concept in asked}
    for book in [table for kind, table in tables if kind == "concept_ancestor" and wanted]:
        for chunk in book.named(_ANCESTRY):
            own = texts(chunk, *_ANCESTRY).filter(pl.col(_ANCESTRY[0]).is_in(wanted))
            for ancestor, descendant in own.select(_ANCESTRY).iter_rows():
                found.setdefault(descendant, set()).add(ancestor)
    return {concept: f";{';'.join(sorted(ancestors))};" for concept, ancestors in found.items()}


def _named(tables: Sequence[tuple[str, Table]]) -> dict[str, tuple[str, str, str]]:
    books = [table for kind, table in tables if kind == "concept"]
    if not books:
        return {}
    needed: set[str] = set()
    for kind, table in tables:
        for chunk in table.named(_CONCEPT_COLUMNS.get(kind, ())) if kind in _CONCEPT_COLUMNS else ():
            for name in _CONCEPT_COLUMNS[kind]:
                needed |= set(chunk[name].cast(pl.String).drop_nulls().unique())
    rows: dict[str, tuple[str, str, str]] = {}
    for book in books:
        for chunk in book.named(("concept_id", "vocabulary_id", "concept_code", "concept_name")):
            known = texts(chunk, "concept_id", "vocabulary_id", "concept_code", "concept_name")
            for ident, *rest in known.filter(pl.col("concept_id").is_in(needed)).drop("row").iter_rows():
                rows[ident] = tuple(part or "" for part in rest)  # type: ignore[assignment]
    return rows


# ---- measurement -----------------------------------------------------------------------------------------------------

_MEASUREMENT: Final = (
    "person_id",
    "measurement_concept_id",
    "measurement_date",
    "measurement_datetime",
    "operator_concept_id",
    "value_as_number",
    "unit_concept_id",
    "range_low",
    "range_high",
    "measurement_source_value",
    "unit_source_value",
    "value_source_value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Omop:
    """One common data model being read."""

    reading: Reading
    judge: Judge
    vocabulary: Vocabulary
    dates: DateReader

    def read(self, kind: str, table: Table) -> Iterator[Frames]:
        """The rows of one table, piece by piece."""
        by_kind: dict[str, Callable[[Table], Iterator[Frames]]] = {
            "measurement": self._measurement,
            "person": self._person,
            "observation_period": self._observation_period,
            "drug_exposure": self._drug_exposure,
            "condition_occurrence": self._condition,
            "procedure_occurrence": self._procedure,
            "visit_occurrence": self._visit,
            "death": self._death,
        }
        return by_kind[kind](table)

    def _measurement(self, table: Table) -> Iterator[Frames]:
        for chunk in table.named(_MEASUREMENT):
            frame, told_person = with_person(chunk.rename({"person_id": "person"}), table.file, self.reading)
            frame, told_bound = self._bounds(self._written(frame), table.file)
            frame, told_time = self._timed(frame, "measurement", table.file)
            frame = frame.with_columns(pl.lit(table.file).alias("file"))
            judged = self.judge.judge(self._coded(frame))
            notices = pl.concat([told_person, told_bound, told_time, judged.notices])
            yield self.reading.frames(
                rows=chunk.height, results=judged.results, notices=notices, signs=self._temperatures(frame)
            )

    def _written(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns as text; a number that the file holds as a number stays one."""
        typed = frame["value_as_number"].dtype.is_numeric()
        words = ("measurement_source_value", "unit_source_value", "value_source_value")
        ids = ("measurement_concept_id", "operator_concept_id", "unit_concept_id")
        frame = texts(frame, *words, *ids, "range_low", "range_high")
        frame = frame.with_columns(pl.when(pl.col(name) != "0").then(pl.col(name)).alias(name) for name in ids)
        if frame["value_as_number"].dtype == pl.Float32:
            frame = frame.with_columns(pl.col("value_as_number").cast(pl.String).cast(pl.Float64))
        source = pl.col("value_source_value")
        if typed:
            number = pl.col("value_as_number").cast(pl.Float64).fill_nan(None)
            value = [number.alias("number"), pl.when(number.is_null()).then(source).alias("value_text")]
        else:
            value = [pl.coalesce(cleaned(pl.col("value_as_number")), source).alias("value_text")]
        return frame.with_columns(
            *value,
            pl.col("range_low").alias("low_text"),
            pl.col("range_high").alias("high_text"),
        )

    def _bounds(self, frame: pl.DataFrame, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        known = concepts()["operator"]
        operator, source = pl.col("operator_concept_id"), pl.col("value_source_value")
        sign = source.str.extract(r"^([<>]=?)").alias("sign")
        has_number = pl.col("value_as_number").cast(pl.String).str.strip_chars().fill_null("") != ""
        strange = operator.is_not_null() & ~operator.is_in(list(known))
        lost = frame.filter(strange)
        rows = [
            self.reading.row(
                "LK534", f"operator concept {concept} is not known; the value was not used",
                file=file, row=row, rows=1, lost=True,
            )
            for row, concept in lost.select("row", "operator_concept_id").iter_rows()
        ]  # fmt: skip
        frame = frame.filter(~strange).with_columns(operator.replace_strict(known, default=None).alias("bound"), sign)
        by_text = pl.col("bound").is_null() & pl.col("sign").is_not_null() & has_number
        taken = frame.filter(by_text)
        if taken.height:
            text = f"the operator is empty, and the source wrote a bound ({taken.height} rows)"
            rows.append(self.reading.row("LK704", text, file=file, row=taken["row"].min()))  # type: ignore[arg-type]
        frame = frame.with_columns(pl.when(by_text).then("sign").otherwise("bound").alias("bound")).drop("sign")
        return frame, self.reading.notices(rows)

    def _timed(self, frame: pl.DataFrame, what: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The time, where it is one: midnight is how the model writes that only the day is known."""
        frame = texts(frame, *(n for n in (f"{what}_datetime", f"{what}_date") if frame[n].dtype == pl.String))
        day, time = pl.col(f"{what}_date"), pl.col(f"{what}_datetime")
        if frame[f"{what}_datetime"].dtype == pl.String:
            midnight = time.str.contains(r"^\d{4}-\d{2}-\d{2}(?:[T ]00:00(?::00(?:\.0*)?)?(?:Z|[+-]00:?00)?)?$")
            timed = pl.when(~midnight).then(time)
            days = pl.coalesce(timed, cleaned(day).str.slice(0, 10), time.str.slice(0, 10))
        elif frame[f"{what}_date"].dtype == pl.String or frame[f"{what}_date"].is_null().all():
            days = time
        else:
            days = pl.coalesce(time, day.cast(pl.Datetime("us")))
        frame, notices = with_times(
            frame.with_columns(days.alias("when")), "when", self.dates, file=file, reading=self.reading
        )
        if frame["when"].dtype != pl.String:
            clock = pl.col("taken").dt
            frame = frame.with_columns(
                ((clock.hour() != 0) | (clock.minute() != 0)).fill_null(value=False).alias("has_time")
            )
        return frame, notices

    def _coded(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What each row says that it is, as the keys of the judge."""
        source, concept, unit = (
            pl.col("measurement_source_value"),
            pl.col("measurement_concept_id"),
            pl.col("unit_concept_id"),
        )
        loinc = self._looked_up(frame["measurement_concept_id"], lambda c: self.vocabulary.code(c, "LOINC"), "loinc")
        label = self._looked_up(frame["measurement_concept_id"], self._label, "label")
        ucum = self._looked_up(frame["unit_concept_id"], self._unit, "ucum")
        shaped = source.str.contains(_LOINC_SHAPE).fill_null(value=False)
        wordless = shaped | source.str.contains(r"^[\d.]+$").fill_null(value=False)
        code2 = pl.coalesce(pl.col("loinc"), pl.when(shaped).then(source))
        return frame.with_columns(loinc, label, ucum).with_columns(
            concept.alias("code"),
            pl.when(concept.is_not_null()).then(pl.lit(OMOP)).alias("system"),
            code2.alias("code2"),
            pl.when(code2.is_not_null()).then(pl.lit(LOINC)).alias("system2"),
            pl.coalesce(pl.when(~wordless).then(source), "label").alias("name"),
            pl.coalesce("ucum", unit).alias("unit_code"),
            pl.when(pl.col("ucum").is_not_null())
            .then(pl.lit(UCUM))
            .when(unit.is_not_null())
            .then(pl.lit(OMOP))
            .alias("unit_system"),
            pl.col("unit_source_value").alias("unit_text"),
        )

    def _label(self, concept: str) -> str | None:
        """The vocabulary's name of a concept that neither leuko nor LOINC knows."""
        known = (OMOP, concept) in self.reading.library.codes or self.vocabulary.code(concept, "LOINC")
        return None if known else self.vocabulary.name(concept)

    def _unit(self, concept: str) -> str | None:
        """The UCUM code of a unit concept that leuko's own table does not hold."""
        if not isinstance(read_quietly(concept, OMOP), UnitRefused):
            return None
        return self.vocabulary.code(concept, "UCUM")

    @staticmethod
    def _looked_up(column: pl.Series, ask: Callable[[str], str | None], name: str) -> pl.Series:
        return mapped(column, ask, pl.String()).alias(name)

    def _temperatures(self, frame: pl.DataFrame) -> pl.DataFrame:
        known = concepts()
        found = frame.filter(pl.col("measurement_concept_id").is_in(list(known["temperature"])))
        unit = pl.col("unit_concept_id").replace_strict(known["temperature_unit"], default=None)
        return found.select(
            "person",
            pl.lit("body temperature").alias("name"),
            pl.col("value_as_number").cast(pl.Float64, strict=False).alias("value"),
            pl.coalesce(unit, "unit_source_value").alias("unit"),
            "taken",
            "has_time",
            "file",
            "row",
        )

    # ---- people ------------------------------------------------------------------------------------------------------

    def _person(self, table: Table) -> Iterator[Frames]:
        columns = (
            "person_id",
            "gender_concept_id",
            "year_of_birth",
            "month_of_birth",
            "day_of_birth",
            "birth_datetime",
        )
        for chunk in table.named(columns):
            frame, notices = with_person(chunk.rename({"person_id": "person"}), table.file, self.reading)
            frame = texts(frame, "gender_concept_id")
            parts = [
                pl.col(f"{part}_of_birth").cast(pl.Int32, strict=False).alias(part) for part in ("year", "month", "day")
            ]
            frame = frame.with_columns(*parts)
            born = pl.date("year", pl.col("month").fill_null(1), pl.col("day").fill_null(1))
            precision = (
                pl.when(pl.col("year").is_null()).then(None).when(pl.col("month").is_null()).then(pl.lit("year"))
                .when(pl.col("day").is_null()).then(pl.lit("month")).otherwise(pl.lit("day"))
            )  # fmt: skip
            sex = pl.col("gender_concept_id").replace_strict(concepts()["sex"], default=None)
            people = frame.with_columns(
                pl.when(pl.col("year").is_not_null()).then(born).alias("born"),
                precision.alias("born_precision"),
                sex.alias("sex"),
            )
            yield self.reading.frames(people=people, notices=notices)

    def _observation_period(self, table: Table) -> Iterator[Frames]:
        columns = ("person_id", "observation_period_start_date", "observation_period_end_date")
        for chunk in table.named(columns):
            frame, notices = with_person(chunk.rename({"person_id": "person"}), table.file, self.reading)
            people = frame.with_columns(
                day_of(frame[columns[1]], self.dates).alias("start"), day_of(frame[columns[2]], self.dates).alias("end")
            )
            yield self.reading.frames(people=people, notices=notices)

    # ---- medicines and facts -----------------------------------------------------------------------------------------

    def _drug_exposure(self, table: Table) -> Iterator[Frames]:
        span = tuple(f"drug_exposure_{end}_{how}" for end in ("start", "end") for how in ("date", "datetime"))
        for chunk in table.named(("person_id", "drug_concept_id", "drug_type_concept_id", "drug_source_value", *span)):
            frame, notices = with_person(chunk.rename({"person_id": "person"}), table.file, self.reading)
            frame = texts(frame, "drug_concept_id", "drug_type_concept_id", "drug_source_value")
            label = self._looked_up(frame["drug_concept_id"], self.vocabulary.name, "label")
            frame = frame.with_columns(
                pl.coalesce(label, "drug_source_value", "drug_concept_id").alias("name"),
                pl.col("drug_type_concept_id").is_in(list(concepts()["given"])).fill_null(value=False).alias("given"),
            )
            frame = frame.with_columns(self._looked_up(frame["drug_concept_id"], self.vocabulary.codes, "codes"))
            codes = self._rxnorm(frame)
            frame, told_names = with_medicines(frame, file=table.file, reading=self.reading, codes=codes)
            frame, told_times = self._span(frame, "drug_exposure", table.file)
            yield self.reading.frames(treatments=frame, notices=pl.concat([notices, told_names, told_times]))

    def _rxnorm(self, frame: pl.DataFrame) -> dict[str, Sequence[Code]]:
        found: dict[str, Sequence[Code]] = {}
        for concept, name in frame.select("drug_concept_id", "name").unique().iter_rows():
            code = self.vocabulary.code(concept or "", "RxNorm")
            if code:
                system = "http://www.nlm.nih.gov/research/umls/rxnorm"
                found[name] = (Code(system=system, code=code, display=name),)
        return found

    def _span(self, frame: pl.DataFrame, what: str, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        notices = []
        for end in ("start", "end"):
            frame, told = self._timed(frame, f"{what}_{end}", file)
            timed = [pl.col("has_time").alias("timed")] if end == "start" else []
            frame = frame.with_columns(pl.col("taken").alias(end), *timed).drop("when")
            notices.append(told.filter(pl.col("code") != "LK507"))  # an end that is missing is usual
        return frame.with_columns(pl.lit(file).alias("file"), pl.col("timed").alias("has_time")), pl.concat(notices)

    def _facts(self, table: Table, kind: str, what: str, prefix: str, source: str) -> Iterator[Frames]:
        concept = f"{what}_concept_id"
        span = tuple(f"{prefix}_{end}_{how}" for end in ("start", "end") for how in ("date", "datetime"))
        # a procedure's start is its only date of 5.3, and is named so in 5.4 too
        written = {name: name.replace("_start_", "_") if kind == "procedure" else name for name in span}
        for chunk in table.named(("person_id", concept, source, *written.values())):
            named = chunk.rename({"person_id": "person", **{own: name for name, own in written.items()}})
            frame, notices = with_person(named, table.file, self.reading)
            frame, told_times = self._span(texts(frame, concept, source), prefix, table.file)
            ask = concepts()["visit"].get if kind == "visit" else lambda _: None
            own = self._looked_up(frame[concept], ask, "own")
            label = self._looked_up(frame[concept], self.vocabulary.name, "label")
            facts = frame.with_columns(
                self._looked_up(frame[concept], self.vocabulary.codes, "codes"),
                self._looked_up(frame[concept], self.vocabulary.within.get, "within"),
                pl.lit(kind).alias("kind"),
                pl.coalesce(own, label, source, concept).alias("name"),
                pl.col(concept).alias("code"),
                pl.lit(OMOP).alias("system"),
            )
            yield self.reading.frames(facts=facts, notices=pl.concat([notices, told_times]))

    def _condition(self, table: Table) -> Iterator[Frames]:
        return self._facts(table, "condition", "condition", "condition", "condition_source_value")

    def _procedure(self, table: Table) -> Iterator[Frames]:
        return self._facts(table, "procedure", "procedure", "procedure", "procedure_source_value")

    def _visit(self, table: Table) -> Iterator[Frames]:
        return self._facts(table, "visit", "visit", "visit", "visit_source_value")

    def _death(self, table: Table) -> Iterator[Frames]:
        for chunk in table.named(("person_id", "death_date", "death_datetime", "cause_concept_id")):
            frame, notices = with_person(chunk.rename({"person_id": "person"}), table.file, self.reading)
            frame, told_time = self._timed(frame, "death", table.file)
            facts: dict[str, Any] | pl.DataFrame = frame.with_columns(
                pl.lit("death").alias("kind"),
                pl.lit("death").alias("name"),
                cleaned(pl.col("cause_concept_id")).alias("code"),
                pl.lit(OMOP).alias("system"),
                pl.col("taken").alias("start"),
                pl.lit(table.file).alias("file"),
            )
            yield self.reading.frames(facts=facts, notices=pl.concat([notices, told_time]))
