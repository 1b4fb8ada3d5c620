"""The contract of every row of knowledge: it names a source, says what stands there, and leaves no hole."""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import leuko
from leuko.knowledge import load_library
from leuko.knowledge.audit import check, errors
from leuko.knowledge.further import further_kinds
from leuko.knowledge.library import bases
from leuko.knowledge.probing import LONGEST_LIFE_DAYS, SEXES, age_points, holds, value_points
from leuko.knowledge.schema import Basis, DefinitionRow, GradeRule, GradeScheme, IntervalRow, Row, Source
from leuko.record import Sex

LIBRARY = load_library()
RULES = [rule for scheme in LIBRARY.schemes for rule in scheme.rules]
GRADED = ("wbc", "neutrophils", "lymphocytes", "cd4", "platelets", "haemoglobin")
YEAR = 365.25


def test_the_audit_finds_no_error() -> None:
    assert errors(check(LIBRARY)) == ()


@pytest.mark.parametrize("module", sorted({Row.__module__, *(kind.__module__ for kind in further_kinds())}))
def test_every_type_of_the_schema_refuses_keys_that_it_does_not_know(module: str) -> None:
    """A table inside a row too: a mistyped limit must stop the load, wherever it stands."""
    kinds = [kind for _, kind in inspect.getmembers(sys.modules[module], inspect.isclass) if kind.__module__ == module]
    assert kinds
    for kind in kinds:
        assert issubclass(kind, Row), f"{kind.__name__}: write it as `class {kind.__name__}(Row, frozen=True, ...)`"
        assert kind.__struct_config__.frozen, kind.__name__
        assert kind.__struct_config__.forbid_unknown_fields, kind.__name__


@pytest.mark.parametrize(
    ("key", "basis"), list(bases(LIBRARY)), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_row_names_its_source_and_what_it_rests_on(key: str, basis: Basis) -> None:
    assert basis.source in LIBRARY.sources, key
    if basis.drives:
        assert basis.locator or basis.says or basis.note, key


def test_every_source_that_a_row_names_anywhere_exists() -> None:
    """Also inside a row: the basis of a regimen's doses, of each body's risk class."""
    rows = Path(leuko.__file__).parent / "data"
    named = {
        (source, file.name)
        for file in rows.rglob("*.toml")
        if file.parent.name != "sources"
        for source in _named_sources(tomllib.loads(file.read_text("utf-8")))
    }
    assert {(source, file) for source, file in named if source not in LIBRARY.sources} == set()


def _named_sources(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("source"), str):
            yield value["source"]
        for part in value.values():
            yield from _named_sources(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named_sources(part)


@pytest.mark.parametrize("source", list(LIBRARY.sources.values()), ids=lambda source: source.id)
def test_identifiers_of_sources_are_well_formed(source: Source) -> None:
    assert re.fullmatch(r"(10\.\d{4,9}/\S+)?", source.doi)
    assert re.fullmatch(r"\d*", source.pmid)
    assert re.fullmatch(r"(https?://\S+)?", source.url)
    assert source.title


def test_no_source_is_a_path_of_a_machine() -> None:
    for source in LIBRARY.sources.values():
        assert not re.search(r"(/tmp/|localhost|\bshared/)", re.sub(r"https?://\S+", "", f"{source}"))


class TestGrades:
    @pytest.mark.parametrize("scheme", LIBRARY.schemes, ids=lambda scheme: f"{scheme.id}-{scheme.edition}")
    @pytest.mark.parametrize("analyte", GRADED)
    def test_every_edition_speaks_of_every_analyte(self, scheme: GradeScheme, analyte: str) -> None:
        assert any(rule.analyte == analyte for rule in scheme.rules)

    @pytest.mark.parametrize("scheme", LIBRARY.schemes, ids=lambda scheme: f"{scheme.id}-{scheme.edition}")
    @pytest.mark.parametrize("analyte", GRADED)
    @pytest.mark.parametrize("sex", SEXES)
    def test_exactly_one_rule_for_every_age(self, scheme: GradeScheme, analyte: str, sex: Sex) -> None:
        rules = [rule for rule in scheme.rules if rule.analyte == analyte]
        for age in age_points(rule.ages for rule in rules):
            fitting = [rule.id for rule in rules if rule.ages.holds(age) and rule.sex in {None, sex}]
            assert len(fitting) == 1, (age, fitting)

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
    def test_lower_values_never_grade_milder(self, rule: GradeRule) -> None:
        def worst(value: float) -> int:
            return max((graded.grade for graded in rule.bands if holds(graded.band, value)), default=0)

        grades = [worst(value) for value in value_points(graded.band for graded in rule.bands)]
        assert grades == sorted(grades, reverse=True)

    @pytest.mark.parametrize(
        ("rule_id", "limits"),
        [
            ("ctcae-4:wbc", ["lab_low", 3.0, 2.0, 1.0]),
            ("ctcae-5:wbc", ["lab_low", 3.0, 2.0, 1.0]),
            ("ctcae-6:wbc", ["lab_low", 3.0, 2.0, 1.0]),
            ("ctcae-4:neutrophils", ["lab_low", 1.5, 1.0, 0.5]),
            ("ctcae-5:neutrophils", ["lab_low", 1.5, 1.0, 0.5]),
            ("ctcae-6:neutrophils", [1.5, 1.0, 0.5, 0.1]),
            ("ctcae-5:lymphocytes", ["lab_low", 0.8, 0.5, 0.2]),
            ("ctcae-6:lymphocytes", []),
            ("ctcae-5:cd4", ["lab_low", 0.5, 0.2, 0.05]),
            ("ctcae-5:platelets", ["lab_low", 75.0, 50.0, 25.0]),
            ("ctcae-6:platelets", ["lab_low", 75.0, 50.0, 10.0]),
            ("ctcae-6:haemoglobin", ["lab_low", 100.0, 80.0]),
            ("daids-2.1:neutrophils:over-7-d", [1.0, 0.8, 0.6, 0.4]),
            ("daids-2.1:neutrophils:2-to-7-d", [1.5, 1.25, 1.0, 0.75]),
            ("daids-2.1:neutrophils:to-1-d", [5.0, 4.0, 3.0, 1.5]),
            ("daids-2.1:wbc:over-7-d", [2.5, 2.0, 1.5, 1.0]),
            ("daids-2.1:wbc:to-7-d", [7.0, 5.5, 4.0, 2.5]),
            ("daids-2.1:lymphocytes:over-5-y", [0.65, 0.6, 0.5, 0.35]),
            ("daids-2.1:cd4:over-5-y", [0.4, 0.3, 0.2, 0.1]),
            ("daids-2.1:platelets", [125.0, 100.0, 50.0, 25.0]),
            ("daids-2.1:haemoglobin:male-from-13-y", [109.0, 100.0, 90.0, 70.0]),
            ("daids-2.1:haemoglobin:female-from-13-y", [104.0, 95.0, 85.0, 65.0]),
            ("daids-2.1:haemoglobin:57-d-to-13-y", [104.0, 95.0, 85.0, 65.0]),
            ("daids-2.1:haemoglobin:36-to-56-d", [96.0, 85.0, 70.0, 60.0]),
            ("daids-2.1:haemoglobin:22-to-35-d", [110.0, 95.0, 80.0, 67.0]),
            ("daids-2.1:haemoglobin:8-to-21-d", [130.0, 110.0, 90.0, 80.0]),
            ("daids-2.1:haemoglobin:to-7-d", [140.0, 130.0, 100.0, 90.0]),
        ],
    )
    def test_the_published_limits(self, rule_id: str, limits: list[float | str]) -> None:
        """Typed a second time from the published tables, so that a slip of the hand in the data shows."""
        rule = next(rule for rule in RULES if rule.id == rule_id)
        assert [graded.band.upper for graded in rule.bands] == limits
        assert [graded.grade for graded in rule.bands] == list(range(1, len(limits) + 1))

    def test_only_daids_neutrophils_and_haemoglobin_include_an_upper_limit(self) -> None:
        inclusive = {
            (rule.id.split(":")[0], rule.analyte, graded.grade)
            for rule in RULES
            for graded in rule.bands
            if graded.band.upper_inclusive
        }
        assert inclusive == {("daids-2.1", "neutrophils", 1), ("daids-2.1", "haemoglobin", 1)}

    def test_daids_starts_over_five_years_the_day_after_the_birthday(self) -> None:
        rule = next(rule for rule in RULES if rule.id == "daids-2.1:lymphocytes:over-5-y")
        assert rule.ages.holds(5 * YEAR) is False
        assert rule.ages.holds(5 * YEAR + 1) is True


def house_intervals(analyte: str) -> list[IntervalRow]:
    return [row for row in LIBRARY.intervals if row.analyte == analyte and row.house]


class TestIntervals:
    @pytest.mark.parametrize("analyte", ["wbc", "neutrophils", "lymphocytes", "monocytes", "platelets", "haemoglobin"])
    @pytest.mark.parametrize("sex", SEXES)
    def test_one_house_interval_from_birth_to_120_years(self, analyte: str, sex: Sex) -> None:
        rows = [row for row in house_intervals(analyte) if row.pregnancy == "no" and not row.duffy_null]
        for age in age_points(row.ages for row in rows):
            fitting = [row.id for row in rows if row.ages.holds(age) and row.sex in {None, sex}]
            assert len(fitting) == 1, (age / YEAR, fitting)
        assert max(age_points(row.ages for row in rows)) == LONGEST_LIFE_DAYS

    @pytest.mark.parametrize("analyte", ["wbc", "neutrophils", "lymphocytes", "monocytes", "haemoglobin"])
    def test_pregnancy_has_one_house_interval_at_any_age(self, analyte: str) -> None:
        (row,) = (row for row in house_intervals(analyte) if row.pregnancy != "no")
        assert (row.pregnancy, row.sex, row.ages.low_days, row.ages.high_days) == ("any", "female", None, None)

    @pytest.mark.parametrize("analyte", ["wbc", "neutrophils"])
    def test_duffy_null_has_one_for_adults_and_none_for_children(self, analyte: str) -> None:
        """No interval of Duffy-null children was found: the hole is known, and the general interval must say so."""
        (row,) = (row for row in house_intervals(analyte) if row.duffy_null)
        assert row.ages.low_days == 18 * YEAR

    def test_the_seed_page_never_judges(self) -> None:
        quoted = [row for row in LIBRARY.intervals if row.basis.source == "cleveland-leukopenia"]
        assert len(quoted) == 3
        assert not any(row.house for row in quoted)

    def test_recalled_tables_never_drive(self) -> None:
        assert not any(row.basis.drives for row in LIBRARY.intervals if row.basis.source == "dallman-1977")

    def test_no_house_row_is_chosen_by_ancestry(self) -> None:
        words = re.compile(r"black|white|african|ethnic|race|ancestry", re.IGNORECASE)
        for row in (*LIBRARY.intervals, *LIBRARY.definitions):
            assert not (row.house and words.search(f"{row.population}")), row.id


def house_definition(analyte: str, category: str, value: float, age: float, sex: Sex = "female") -> list[DefinitionRow]:
    return [
        row
        for row in LIBRARY.definitions
        if row.house and row.analyte == analyte and row.category == category
        if row.ages.holds(age) and row.sex in {None, sex} and holds(row.band, value)
    ]


class TestDefinitions:
    @pytest.mark.parametrize(
        ("value", "age_years", "name"),
        [
            (1.5, 30, None),
            (1.49, 30, "mild neutropenia"),
            (1.0, 30, "mild neutropenia"),
            (0.99, 30, "moderate neutropenia"),
            (0.5, 30, "moderate neutropenia"),
            (0.49, 30, "severe neutropenia"),
            (0.2, 30, "severe neutropenia"),
            (0.19, 30, "very severe neutropenia"),
            (0.1, 30, "very severe neutropenia"),
            (0.09, 30, "profound neutropenia"),
            (0.0, 30, "profound neutropenia"),
            (1.2, 0.5, None),
            (0.9, 0.5, "moderate neutropenia"),
        ],
    )
    def test_one_severity_band_for_each_value(self, value: float, age_years: float, name: str | None) -> None:
        met = house_definition("neutrophils", "severity", value, age_years * YEAR)
        assert [row.concept for row in met] == ([name] if name else [])

    @pytest.mark.parametrize(
        ("age_days", "limit"),
        [(0, 5.0), (2, 5.0), (3, 1.75), (6, 1.75), (7, 1.0), (300, 1.0), (365.25, 1.5), (40 * YEAR, 1.5)],
    )
    def test_neutropenia_by_age(self, age_days: float, limit: float) -> None:
        assert house_definition("neutrophils", "definition", limit, age_days) == []
        assert len(house_definition("neutrophils", "definition", limit - 0.01, age_days)) == 1

    @pytest.mark.parametrize("analyte", ["wbc", "neutrophils"])
    def test_low_white_cells_and_neutrophils_are_defined_at_every_age(self, analyte: str) -> None:
        rows = [
            row for row in LIBRARY.definitions if row.house and (row.analyte, row.category) == (analyte, "definition")
        ]
        for age in age_points(row.ages for row in rows):
            assert len(house_definition(analyte, "definition", 0.0, age)) == 1, age

    def test_leukopenia_is_strictly_below_four(self) -> None:
        assert house_definition("wbc", "definition", 4.0, 40 * YEAR) == []
        assert [row.id for row in house_definition("wbc", "definition", 3.999, 40 * YEAR)] == ["SV001"]

    def test_between_two_and_eighteen_years_lymphocytes_have_no_house_definition(self) -> None:
        """The explained hole: no body that was read defines it there, and the interval answers."""
        assert house_definition("lymphocytes", "definition", 0.0, 10 * YEAR) == []
        assert house_definition("lymphocytes", "definition", 2.9, YEAR) != []
        assert house_definition("lymphocytes", "definition", 0.9, 18 * YEAR) != []

    def test_rows_about_a_group_of_people_ask_for_more_than_a_number(self) -> None:
        named = [row for row in LIBRARY.definitions if re.search(r"White|Black|ethnic", row.population)]
        assert named
        for row in named:
            assert row.condition
            assert not row.house
            assert "never infers" in row.basis.note

    def test_anaemia_by_age_and_sex(self) -> None:
        assert house_definition("haemoglobin", "definition", 125, 40 * YEAR, "female") == []
        assert len(house_definition("haemoglobin", "definition", 125, 40 * YEAR, "male")) == 1
        assert len(house_definition("haemoglobin", "definition", 104, YEAR)) == 1


class TestCourse:
    def test_every_followed_analyte_has_rules(self) -> None:
        assert {"wbc", "neutrophils", "lymphocytes", "platelets", "haemoglobin"} <= set(LIBRARY.course)

    def test_the_sparsest_chronic_course_is_not_broken_by_its_own_holes(self) -> None:
        """Three counts over three months are the least that the usual words for chronic ask: they must join up."""
        for rules in LIBRARY.course.values():
            assert rules.hole_days * 2 >= rules.chronic_days

    def test_house_choices_say_that_they_are(self) -> None:
        for rules in LIBRARY.course.values():
            assert rules.basis_of("hole_days").confidence == "house"
            assert rules.basis_of("cuts") is rules.basis
