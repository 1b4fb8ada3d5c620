"""The vocabulary of symptoms: by which words and codes a symptom, a temperature or a vital sign is known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema.infection import FeverRules, RouteRow, SymptomCodeRow, SymptomRow, VitalRow
from leuko.record import Code, Sign

LOINC = "http://loinc.org"
ICD10CM = frozenset({"http://hl7.org/fhir/sid/icd-10-cm", "icd-10-cm", "icd10cm", "urn:oid:2.16.840.1.113883.6.90"})
YES = frozenset({"yes", "true", "present", "positive", "mild", "moderate", "severe", "ja", "vorhanden", "positiv"})
YES_MORE = frozenset({"leicht", "mittel", "schwer", "stark", "y", "j", "1"})
NO = frozenset(
    {"no", "false", "absent", "negative", "none", "denied", "denies", "not present", "not detected", "n", "0"}
)
NO_MORE = frozenset({"nein", "kein", "keine", "negativ", "nicht vorhanden", "verneint"})
CARRIERS = frozenset({"symptom", "symptoms", "presenting symptom", "chief complaint", "finding", "clinical finding"})
"""Names of observations whose value, not whose name, is the symptom."""


def fold(text: str) -> str:
    """A name as it is compared: without case, accents kept, punctuation and white space made single spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return re.sub(r"[^\w'°%/]+", " ", plain.replace("_", " ")).strip()


class Vocabulary(Frozen, frozen=True, kw_only=True):
    """All symptom rows that drive, and how to find one. Built once for each library."""

    symptoms: Mapping[str, SymptomRow]
    words: Mapping[str, str]
    codes: Mapping[tuple[str, str], str]
    icd10cm: tuple[tuple[str, str], ...]
    routes: tuple[RouteRow, ...]
    vitals: tuple[VitalRow, ...]
    rules: FeverRules

    def named(self, text: str) -> SymptomRow | None:
        """The symptom that a whole name means."""
        # "Cough (finding)": terminologies write the kind of concept behind its name
        found = self.words.get(fold(text)) or self.words.get(fold(re.sub(r"\s*\([^()]*\)\s*$", "", text)))
        return self.symptoms[found] if found is not None else None

    def coded(self, codes: Iterable[Code]) -> SymptomRow | None:
        """The symptom that one of the codes means."""
        for code in codes:
            found = self.codes.get((code.system, code.code)) or self._icd(code)
            if found is not None:
                return self.symptoms[found]
        return None

    def _icd(self, code: Code) -> str | None:
        if code.system.casefold() not in ICD10CM:
            return None
        plain = code.code.upper().replace(".", "")
        fitting = [(prefix, symptom) for prefix, symptom in self.icd10cm if plain.startswith(prefix)]
        return max(fitting, key=lambda pair: len(pair[0]))[1] if fitting else None

    def thermometer(self, sign: Sign) -> RouteRow | None:
        """How a temperature was taken, where the sign is a body temperature at all."""
        coded = {code.code for code in sign.codes if code.system == LOINC}
        name = fold(sign.name)
        fitting = [row for row in self.routes if coded & set(row.loinc) or name in {fold(word) for word in row.names}]
        return min(fitting, key=lambda row: row.route is None, default=None)

    def route(self, text: str) -> RouteRow | None:
        """The way of measuring that a word names: "axillary", "im Ohr"."""
        wanted = fold(text)
        every = ((row, {fold(word) for word in (*row.words, *row.names, row.route or "")}) for row in self.routes)
        return next((row for row, words in every if wanted in words and row.route is not None), None)

    def vital(self, sign: Sign) -> VitalRow | None:
        """The vital sign that a measurement is."""
        coded = {code.code for code in sign.codes if code.system == LOINC}
        name = fold(sign.name)
        every = ((row, {fold(word) for word in (*row.words, row.name)}) for row in self.vitals)
        return next((row for row, words in every if coded & set(row.loinc) or name in words), None)


@once_for
def vocabulary(library: Library) -> Vocabulary:
    """The vocabulary of a library; rows that are not confirmed take no part."""
    rows = {row.id: row for row in library.rows(SymptomRow) if row.basis.drives}
    words: dict[str, str] = {}
    for row in rows.values():
        for word in (row.id, row.name, row.name_de, *row.words, *row.words_de):
            words.setdefault(fold(word), row.id)
    licensed = (row for row in library.rows(SymptomCodeRow) if row.basis.drives and row.symptom in rows)
    icd = ((code.replace(".", ""), row.id) for row in rows.values() for code in row.icd10cm)
    return Vocabulary(
        symptoms=rows,
        words=words,
        codes={(row.system, row.code): row.symptom for row in licensed},
        icd10cm=tuple(icd),
        routes=tuple(row for row in library.rows(RouteRow) if row.basis.drives),
        vitals=tuple(row for row in library.rows(VitalRow) if row.basis.drives),
        rules=library.rows(FeverRules)[0],
    )


def yes_or_no(text: str) -> bool | None:
    """What an answer in words says; None where it says neither."""
    said = fold(text)
    if said in YES or said in YES_MORE:
        return True
    return False if said in NO or said in NO_MORE else None
