"""The loader refuses what it cannot vouch for; the audit finds what is wrong; show and diff say what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_row

from leuko.errors import KnowledgeError, UsageError
from leuko.knowledge import Library, load_library
from leuko.knowledge.audit import check, coverage, diff, errors, shifts, show
from leuko.knowledge.library import read_library
from leuko.knowledge.schema import Ages, Band, GradeRule

SOURCE = '[[source]]\nid = "site"\ntitle = "Our own laboratory, 2026"\nurl = "https://example.org/ranges"\n'
INTERVAL = """
[[interval]]
id = "site-wbc"
analyte = "wbc"
low = 3.9
high = 10.2
basis = { source = "site", confidence = "confirmed", says = "Adult range." }
"""


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of a site's own knowledge: one source, one interval."""
    write(tmp_path, "sources", SOURCE)
    write(tmp_path, "intervals", INTERVAL)
    return tmp_path


def write(root: Path, folder: str, text: str, name: str = "site.toml") -> None:
    (root / folder).mkdir(exist_ok=True)
    (root / folder / name).write_text(text, encoding="utf-8")


class TestLoading:
    def test_a_site_adds_rows_and_the_hash_changes(self, site: Path, library: Library) -> None:
        more = load_library(site)
        assert "site-wbc" in {row.id for row in more.intervals}
        assert len(more.intervals) == len(library.intervals) + 1
        assert more.hash != library.hash

    def test_the_same_files_give_the_same_hash(self, site: Path) -> None:
        assert load_library(site).hash == load_library(site).hash

    @pytest.mark.parametrize(
        ("was", "becomes", "said"),
        [
            ("low = 3.9", "lwo = 3.9", "lwo"),
            ("high = 10.2", "high = 10.2\nages = { low_day = 3 }", "ages.low_day"),
            ('says = "Adult range."', 'sayz = "Adult range."', "basis.sayz"),
            ("[[interval]]", "[[intervals]]", "intervals"),
        ],
    )
    def test_a_mistyped_key_stops_the_load_and_is_named(self, site: Path, was: str, becomes: str, said: str) -> None:
        write(site, "intervals", INTERVAL.replace(was, becomes))
        with pytest.raises(KnowledgeError) as caught:
            load_library(site)
        assert said in str(caught.value)
        assert "intervals/site.toml" in str(caught.value)

    def test_a_shipped_id_cannot_be_replaced(self, site: Path) -> None:
        write(site, "intervals", INTERVAL.replace("site-wbc", "RI0054"))
        with pytest.raises(KnowledgeError, match="RI0054"):
            load_library(site)

    def test_a_source_must_exist(self, site: Path) -> None:
        write(site, "intervals", INTERVAL.replace('source = "site"', 'source = "elsewhere"'))
        with pytest.raises(KnowledgeError, match="names a source that does not exist") as caught:
            load_library(site)
        assert "elsewhere" in str(caught.value)

    def test_a_wrong_type_is_named_with_its_row(self, site: Path) -> None:
        write(site, "intervals", INTERVAL.replace("low = 3.9", 'low = "3.9"'))
        with pytest.raises(KnowledgeError, match="breaks the schema") as caught:
            load_library(site)
        assert "site-wbc" in str(caught.value)

    def test_broken_toml_names_its_file(self, site: Path) -> None:
        write(site, "intervals", "[[interval]\n")
        with pytest.raises(KnowledgeError, match="not valid TOML") as caught:
            load_library(site)
        assert "intervals/site.toml" in str(caught.value)

    def test_a_mistyped_folder_is_refused_not_left_unread(self, site: Path) -> None:
        write(site, "interval", INTERVAL)
        with pytest.raises(KnowledgeError, match="interval would go unread"):
            load_library(site)

    def test_a_file_beside_the_folders_is_refused(self, site: Path) -> None:
        (site / "intervals.toml").write_text(INTERVAL, encoding="utf-8")
        with pytest.raises(KnowledgeError, match="would go unread"):
            load_library(site)

    def test_a_row_with_its_own_source_takes_no_words_of_another(self, site: Path) -> None:
        write(
            site,
            "intervals",
            '[basis]\nsource = "cleveland-leukopenia"\nconfidence = "confirmed"\nsays = "Not ours."\n'
            + INTERVAL.replace(', says = "Adult range."', ""),
        )
        row = next(row for row in load_library(site).intervals if row.id == "site-wbc")
        assert (row.basis.source, row.basis.says) == ("site", "")

    def test_one_folder_can_be_read_alone(self, site: Path) -> None:
        alone = read_library(site)
        assert [row.id for row in alone.intervals] == ["site-wbc"]
        assert alone.schemes == ()

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is no folder"):
            read_library(tmp_path / "nowhere")


class TestAsking:
    def test_editions_in_force_by_day(self, library: Library) -> None:
        def names(day: date) -> set[tuple[str, str]]:
            return {(scheme.id, scheme.edition) for scheme in library.editions_in_force(day)}

        assert names(date(2016, 1, 1)) == {("ctcae", "4")}
        assert names(date(2018, 3, 31)) == {("ctcae", "4"), ("daids", "2.1")}
        assert names(date(2018, 4, 1)) == {("ctcae", "5"), ("daids", "2.1")}
        assert names(date(2026, 1, 1)) == {("ctcae", "5"), ("ctcae", "6"), ("daids", "2.1")}

    def test_an_unknown_edition_names_the_known(self, library: Library) -> None:
        with pytest.raises(UsageError, match="ctcae-7") as caught:
            library.scheme("ctcae", "7")
        assert "ctcae-6" in str(caught.value)

    def test_a_citation_prefers_the_doi(self, library: Library) -> None:
        row = next(row for row in library.intervals if row.id == "RI0257")
        assert library.cite(row.basis).url == "https://doi.org/10.1016/j.ebiom.2021.103715"


class TestCheck:
    def test_the_shipped_knowledge_has_no_error(self, library: Library) -> None:
        assert errors(check(library)) == ()

    def test_editions_side_by_side_need_a_reason(self, library: Library) -> None:
        silent = tuple(replace_row(scheme, overlap="") for scheme in library.schemes)
        found = errors(check(replace(library, schemes=silent)))
        assert [finding.key for finding in found] == ["ctcae-6"]

    def test_a_unit_that_is_not_the_analytes(self, library: Library) -> None:
        found = broken_rule(library, unit="g/L")
        assert any("is in g/L, but neutrophils is kept in 10*9/L" in text for text in found)

    def test_a_hole_between_grades(self, library: Library) -> None:
        rule = rule_of(library, "5", "neutrophils")
        bands = tuple(
            replace_row(graded, band=replace_row(graded.band, upper=0.9)) if graded.grade == 3 else graded
            for graded in rule.bands
        )
        assert any(
            "grade 2 ends at 1.0, but grade 3 begins at 0.9" in text for text in broken_rule(library, bands=bands)
        )

    def test_two_grades_for_one_value(self, library: Library) -> None:
        rule = rule_of(library, "5", "neutrophils")
        bands = tuple(
            replace_row(graded, band=replace_row(graded.band, upper_inclusive=True)) if graded.grade == 4 else graded
            for graded in rule.bands
        )
        assert any("0.5 has the grades [3, 4] at once" in text for text in broken_rule(library, bands=bands))

    def test_an_age_without_a_rule(self, library: Library) -> None:
        daids = library.scheme("daids", "2.1")
        fewer = replace_row(daids, rules=tuple(rule for rule in daids.rules if rule.id != "daids-2.1:wbc:to-7-d"))
        schemes = tuple(fewer if scheme is daids else scheme for scheme in library.schemes)
        found = errors(check(replace(library, schemes=schemes)))
        assert {(finding.key, finding.text) for finding in found} == {
            ("daids-2.1:wbc", "no row holds from about 0 d on (female)"),
            ("daids-2.1:wbc", "no row holds from about 0 d on (male)"),
        }

    def test_an_interval_upside_down(self, library: Library) -> None:
        row = replace_row(library.intervals[0], low=11.0, high=4.0)
        found = errors(check(replace(library, intervals=(row, *library.intervals[1:]))))
        assert any("its low 11 is not below its high 4" in finding.text for finding in found)

    def test_two_house_intervals_for_one_person(self, library: Library) -> None:
        adult = next(row for row in library.intervals if row.id == "RI0054")
        twin = replace_row(adult, id="twin", ages=Ages(low_days=30 * 365.25))
        found = errors(check(replace(library, intervals=(*library.intervals, twin))))
        assert {finding.key for finding in found} == {"wbc intervals"}
        assert any("RI0054 and twin hold at once" in finding.text for finding in found)

    def test_a_missing_house_interval_is_a_hole(self, library: Library) -> None:
        fewer = tuple(row for row in library.intervals if row.id != "RI0055")
        found = errors(check(replace(library, intervals=fewer)))
        assert any(f.key == "neutrophils intervals" and "from about 18 y on" in f.text for f in found)

    def test_an_unreviewed_house_row(self, library: Library) -> None:
        rows = tuple(
            replace_row(row, basis=replace_row(row.basis, confidence="unconfirmed")) if row.id == "SV009" else row
            for row in library.definitions
        )
        found = errors(check(replace(library, definitions=rows)))
        assert [(f.key, "may not drive" in f.text) for f in found] == [("definition:SV009", True)]

    def test_a_value_in_two_house_bands(self, library: Library) -> None:
        rows = tuple(
            replace_row(row, band=Band(upper=0.5)) if row.id == "severe-neutropenia" else row
            for row in library.definitions
        )
        found = errors(check(replace(library, definitions=rows)))
        assert any("meets severe-neutropenia and very-severe-neutropenia at once" in finding.text for finding in found)

    def test_an_unknown_analyte(self, library: Library) -> None:
        rows = (replace_row(library.definitions[0], analyte="leucocytes"), *library.definitions[1:])
        found = errors(check(replace(library, definitions=rows)))
        assert any("is about leucocytes, which is no analyte" in finding.text for finding in found)


def rule_of(library: Library, edition: str, analyte: str) -> GradeRule:
    return next(rule for rule in library.scheme("ctcae", edition).rules if rule.analyte == analyte)


def broken_rule(library: Library, **changes: object) -> list[str]:
    """What the audit says when the CTCAE 5 neutrophil rule is changed."""
    scheme = library.scheme("ctcae", "5")
    rule = rule_of(library, "5", "neutrophils")
    rules = tuple(replace_row(rule, **changes) if r is rule else r for r in scheme.rules)  # type: ignore[arg-type]
    changed = replace_row(scheme, rules=rules)
    schemes = tuple(changed if s is scheme else s for s in library.schemes)
    return [finding.text for finding in errors(check(replace(library, schemes=schemes)))]


class TestCoverage:
    def test_each_row_is_counted_once(self, library: Library) -> None:
        rows = {row.kind: row for row in coverage(library)}
        assert rows["interval"].total == len(library.intervals)
        assert rows["definition"].total == len(library.definitions)
        for row in rows.values():
            assert row.total == row.confirmed + row.secondary + row.house + row.unreviewed

    def test_recalled_rows_are_unreviewed(self, library: Library) -> None:
        recalled = sum(row.basis.source == "dallman-1977" for row in library.intervals)
        interval = next(row for row in coverage(library) if row.kind == "interval")
        assert 0 < recalled <= interval.unreviewed


class TestShow:
    def test_a_rule_with_its_limits_and_source(self, library: Library) -> None:
        (card,) = show(library, "ctcae-6:neutrophils")
        facts = dict(card.facts)
        assert facts["grade 4"].startswith("< 0.1 10*9/L")
        assert card.citation is not None
        assert card.citation.source == "nci-ctcae-6"
        assert card.drives

    def test_all_age_bands_of_a_rule(self, library: Library) -> None:
        assert len(show(library, "daids-2.1:neutrophils")) == 3

    @pytest.mark.parametrize("key", ["RI0054", "interval:RI0054", "SV001", "definition:SV001", "course:neutrophils"])
    def test_rows_by_long_and_short_key(self, library: Library, key: str) -> None:
        (card,) = show(library, key)
        assert card.citation is not None

    def test_an_unreviewed_row_says_so(self, library: Library) -> None:
        assert not show(library, "SV020")[0].drives

    def test_a_scheme_lists_its_rules(self, library: Library) -> None:
        assert "ctcae-6:lymphocytes" in show(library, "ctcae-6")[0].see

    def test_a_source_lists_what_rests_on_it(self, library: Library) -> None:
        assert "interval:RI0257" in show(library, "dockree-2021")[0].see

    def test_an_analyte_lists_everything_about_it(self, library: Library) -> None:
        see = show(library, "neutrophils")[0].see
        assert {"ctcae-5:neutrophils", "definition:SV009", "interval:RI0055", "course:neutrophils"} <= set(see)

    def test_a_near_miss_is_helped(self, library: Library) -> None:
        with pytest.raises(UsageError) as caught:
            show(library, "ctcae-6:neutrophil")
        assert "ctcae-6:neutrophils" in str(caught.value)


class TestDiff:
    def test_nothing_changed(self, library: Library) -> None:
        assert diff(library, library).empty

    def test_added_and_removed_rows(self, library: Library, site: Path) -> None:
        change = diff(library, load_library(site))
        assert set(change.added) == {"interval:site-wbc", "source:site"}
        assert set(diff(load_library(site), library).removed) == set(change.added)

    def test_a_moved_limit_says_which_values_change(self, library: Library) -> None:
        rows = tuple(replace_row(row, low=1.8) if row.id == "RI0055" else row for row in library.intervals)
        (change,) = diff(library, replace(library, intervals=rows)).changed
        assert change.key == "interval:RI0055"
        assert change.fields == (("low", "1.7", "1.8"),)
        assert change.effects == ("neutrophils from 1.7 to 1.8 is now below the interval",)

    def test_a_lowered_limit_the_other_way_round(self, library: Library) -> None:
        rows = tuple(replace_row(row, low=1.5) if row.id == "RI0055" else row for row in library.intervals)
        (change,) = diff(library, replace(library, intervals=rows)).changed
        assert change.effects == ("neutrophils from 1.5 to 1.7 is no longer below the interval",)

    def test_ctcae_6_moves_neutrophils_by_one_grade(self, library: Library) -> None:
        moved = [
            str(shift) for shift in shifts(rule_of(library, "5", "neutrophils"), rule_of(library, "6", "neutrophils"))
        ]
        assert moved == [
            ">= 0.1 and < 0.5: grade 4 -> grade 3",
            ">= 0.5 and < 1: grade 3 -> grade 2",
            ">= 1 and < 1.5: grade 2 -> grade 1",
            ">= 1.5: grade 1 if below the lower limit of normal -> grade 0",
        ]

    def test_editions_4_and_5_grade_alike(self, library: Library) -> None:
        for rule in library.scheme("ctcae", "4").rules:
            assert shifts(rule, rule_of(library, "5", rule.analyte)) == ()

    def test_a_changed_rule_reports_its_shifts(self, library: Library) -> None:
        scheme = library.scheme("ctcae", "5")
        six = rule_of(library, "6", "platelets")
        rules = tuple(replace_row(six, id=r.id) if r.analyte == "platelets" else r for r in scheme.rules)
        changed = replace_row(scheme, rules=rules)
        schemes = tuple(changed if s is scheme else s for s in library.schemes)
        (change,) = diff(library, replace(library, schemes=schemes)).changed
        assert change.effects == ("platelets >= 10 and < 25: grade 4 -> grade 3",)
