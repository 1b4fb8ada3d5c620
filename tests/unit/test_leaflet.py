from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import pytest

from fixtures.advised import AS_OF, LIBRARY, PEOPLE, advised, leaflet_of
from fixtures.golden import check
from fixtures.reading import coleman_liau, flesch_kincaid, sentences_of, wiener_sachtext, words_of
from leuko.__main__ import main
from leuko.errors import UsageError
from leuko.knowledge.schema.advice import StandardRow
from leuko.report.leaflet import leaflet
from leuko.report.leaflet_write import BLANK, html, pdf, text
from leuko.site import site_of

EXAMPLE = Path(__file__).parents[2] / "src" / "leuko" / "data" / "examples" / "adult-on-docetaxel.json"
GRADE = next(row.grade_most for row in LIBRARY.rows(StandardRow) if row.id == "standard:house")
LANGUAGES = ("en", "de")
SITE = site_of({"name": "Day unit", "fever_limit": 38.0, "phones": {"helpline": "030 1234567", "emergency": "112"}})
JARGON = r"grade|grad [0-4]|ctcae|daids|anc|nadir|leu[ck]openi\w*|neutropeni\w*|agranulo\w*|prognos\w*|mortalit\w*"
FRIGHT = {"en": "death|die|dying|fatal|deadly", "de": "tod|tödlich|sterben|lebensgefahr|lebensgefährlich"}


def staffless(name: str, language: str) -> str:
    """Everything that the person reads: without the half of the card that is for staff."""
    return "\n".join(sentences_of(leaflet_of(name, language)))


@pytest.mark.parametrize("name", PEOPLE)
class TestPlainWords:
    def test_english_reads_at_grade_eight_at_most(self, name: str) -> None:
        said = sentences_of(leaflet_of(name))
        assert flesch_kincaid(said) <= GRADE
        assert coleman_liau(said) <= GRADE

    def test_german_reads_at_grade_eight_at_most(self, name: str) -> None:
        assert wiener_sachtext(sentences_of(leaflet_of(name, "de"))) <= GRADE

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_no_sentence_is_long(self, name: str, language: str) -> None:
        long = [one for one in sentences_of(leaflet_of(name, language)) if len(words_of([one])) > 22]
        assert not long

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_no_jargon_no_grade_and_no_death(self, name: str, language: str) -> None:
        found = re.findall(rf"\b(?:{JARGON}|{FRIGHT[language]})\b", staffless(name, language), re.IGNORECASE)
        assert not found

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_no_blank_of_a_text_is_left_open(self, name: str, language: str) -> None:
        said = text(leaflet_of(name, language))
        assert "{" not in said
        assert "None" not in said
        assert "()" not in said
        assert "  " not in said

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_the_pdf_is_one_page_in_large_print(self, name: str, language: str) -> None:
        pypdf = pytest.importorskip("pypdf")
        pytest.importorskip("typst")
        made = leaflet_of(name, language)
        document = pypdf.PdfReader(io.BytesIO(pdf(made, as_of=AS_OF)))
        assert len(document.pages) == 1
        assert document.trailer["/Root"]["/Lang"] == language
        sizes: list[float] = []
        document.pages[0].extract_text(
            visitor_text=lambda words, _cm, matrix, _font, size: sizes.extend(
                [abs(matrix[0]) * size] * len(words.strip())
            )
        )
        body = sorted(sizes)[len(sizes) // 2]
        assert body >= 12, "the words of the body are set in 12 points at least"
        whole = "".join("".join(page.extract_text() for page in document.pages).split())
        for item in (*(made.call.items if made.call else ()), *made.means.items, *made.foot):
            assert "".join(item.split()) in whole, item

    def test_it_says_that_it_is_no_medical_device(self, name: str) -> None:
        assert "not a medical device" in " ".join(leaflet_of(name).foot)
        assert "kein Medizinprodukt" in " ".join(leaflet_of(name, "de").foot)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["chemotherapy-with-fever", "clozapine", "pancytopenia", "duffy-null", "child-after-virus"]
)
def test_golden(name: str, language: str) -> None:
    check(f"leaflet-{name}-{language}.txt", text(leaflet_of(name, language, SITE)))


class TestContent:
    def test_what_to_do_stands_before_what_it_means(self) -> None:
        said = text(leaflet_of("pancytopenia"))
        assert said.index("Call now") < said.index("emergency number") < said.index("What your blood test means")

    def test_the_ten_signs_of_the_page_are_told(self) -> None:
        said = text(leaflet_of("pancytopenia")).casefold()
        signs = ("temperature", "shiver", "swollen", "sores", "patches", "throat is sore", "cough", "short of breath",
                 "hurts to pee", "smells bad", "loose stools", "leaks pus", "vagina", "itch")  # fmt: skip
        assert not [sign for sign in signs if sign not in said]

    def test_the_eleven_ways_of_the_page_are_told(self) -> None:
        said = text(leaflet_of("pancytopenia")).casefold()
        ways = ("wash your hands", "flu and covid-19", "people who are ill", "tattoos", "keep raw meat apart",
                "shared cups", "towels, razors, toothbrushes", "gloves in the garden", "pet waste", "lakes, ponds",
                "medicines you were given")  # fmt: skip
        assert not [way for way in ways if way not in said]

    def test_numbers_of_the_site_are_printed_and_missing_ones_are_blank(self) -> None:
        said = text(leaflet_of("clozapine", site=SITE))
        assert "Emergency number: 112" in said
        assert f"Your doctor: {BLANK}" in said
        assert not re.search(r"\b(911|999|116117)\b", said), "no number is made up"

    def test_the_limit_is_the_site_s_in_both_scales(self) -> None:
        assert "38 °C (100.4 °F)" in text(leaflet_of("pancytopenia", site=SITE))
        assert "37.5 °C (99.5 °F)" in text(leaflet_of("pancytopenia"))
        assert "37,5 °C" in text(leaflet_of("pancytopenia", "de"))

    def test_a_sign_that_is_there_now_is_said_first(self) -> None:
        made = leaflet_of("chemotherapy-with-fever")
        assert made.lead[0].startswith("Your record shows a sign that needs help now")
        assert "now" not in leaflet_of("pancytopenia").lead[0]

    def test_nothing_comforts_where_a_deep_count_is_unexplained(self) -> None:
        assert "not cancer" not in text(leaflet_of("only-a-bound"))
        assert "not cancer" not in text(leaflet_of("pancytopenia"))
        assert "not cancer" in text(leaflet_of("child-after-virus"))

    def test_what_is_not_known_is_said(self) -> None:
        assert "We cannot say how your" not in text(leaflet_of("nothing"))
        assert "cannot say if your white cells are low" in text(leaflet_of("nothing"))
        assert "We cannot say what your count is today" in text(leaflet_of("long-ago"))
        assert "was not counted" in text(leaflet_of("white-count-alone"))
        assert "treatment for cancer?" in text(leaflet_of("mild-and-no-medicines-listed"))

    def test_a_bound_is_said_in_words(self) -> None:
        assert "less than 0.1 (some labs write less than 100)" in text(leaflet_of("only-a-bound"))
        assert "weniger als 0,1" in text(leaflet_of("only-a-bound", "de"))

    def test_the_card_is_only_for_whom_it_helps(self) -> None:
        assert leaflet_of("duffy-null").card is None
        assert leaflet_of("child-after-virus").card is None
        card = leaflet_of("chemotherapy-well").card
        assert card is not None
        assert "docetaxel" in " ".join(card.items)

    def test_nobody_is_told_to_live_as_always_where_treatment_is_not_known(self) -> None:
        assert leaflet_of("not-low").lead == ("You can live as you always do.",)
        condition, what_if = leaflet_of("not-low-and-no-medicines-listed").lead
        assert condition == "Without cancer treatment, you can live as you always do."
        assert what_if.startswith("Are you having treatment for cancer? Then call your care team at once")

    def test_men_are_not_asked_about_a_vagina(self) -> None:
        assert "vagina" not in text(leaflet_of("clozapine"))

    def test_german_writes_medicines_with_a_capital(self) -> None:
        assert "(Docetaxel)" in text(leaflet_of("chemotherapy-well", "de"))

    def test_an_unknown_language_names_the_known_ones(self) -> None:
        assessment, advice = advised("clozapine")
        with pytest.raises(UsageError) as caught:
            leaflet(assessment, advice, language="fr", library=LIBRARY)
        assert "English" in caught.value.why
        assert "Deutsch" in caught.value.why


class TestHtml:
    def test_the_page_stands_alone_and_runs_nothing(self) -> None:
        page = html(leaflet_of("chemotherapy-with-fever"))
        assert "script-src 'none'" in unescape(page)
        assert "<script" not in page
        assert not re.search(r'(src|href)="', page)
        assert page.startswith("<!doctype html>")
        assert '<html lang="en">' in page

    def test_nothing_from_outside_is_markup(self) -> None:
        made = leaflet_of("clozapine", site=site_of({"name": "<b>Ward</b>", "phones": {"doctor": "<i>1</i>"}}))
        page = html(made)
        assert "<b>Ward" not in page
        assert "<i>1" not in page


class TestCommand:
    def test_it_prints_and_writes(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        pytest.importorskip("typst")
        site = tmp_path / "ward.toml"
        site.write_text('language = "de"\n[phones]\nemergency = "112"\n', encoding="utf-8")
        files = [str(tmp_path / "l.html"), str(tmp_path / "l.pdf")]
        call = ["leaflet", str(EXAMPLE), "--as-of", "2026-03-10", "--site", str(site)]
        assert main([*call, "--html", files[0], "--pdf", files[1]]) == 0
        assert "Rufen Sie sofort an" in capsys.readouterr().out
        assert Path(files[1]).read_bytes().startswith(b"%PDF")
        assert main([*call, "--lang", "en", "-q", "--html", files[0]]) == 0
        assert capsys.readouterr().out == ""
        assert "Call now" in Path(files[0]).read_text("utf-8")

    @pytest.mark.parametrize(
        ("more", "said"),
        [(["--lang", "xx"], "no leaflet in the language"), (["--site", "SITE"], "cannot be meant")],
    )
    def test_a_mistake_is_named(self, more: list[str], said: str, tmp_path: Path, capsys) -> None:
        site = tmp_path / "ward.toml"
        site.write_text("fever_limit = 101", encoding="utf-8")
        more = [str(site) if one == "SITE" else one for one in more]
        assert main(["leaflet", str(EXAMPLE), "--as-of", "2026-03-10", *more]) == 2
        assert said in capsys.readouterr().err
