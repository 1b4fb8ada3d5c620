from __future__ import annotations

import io

import pytest

from fixtures.assessments import bare, rich
from fixtures.forecasts import coming, uncounted, withheld
from leuko.errors import UsageError
from leuko.report import extras
from leuko.report.chart import describe
from leuko.report.chart_forecast import KEY, forecast_spec
from leuko.report.pdf import pdf
from leuko.report.series import points

pytest.importorskip("typst")
pytest.importorskip("vl_convert")
pypdf = pytest.importorskip("pypdf")


@pytest.fixture(scope="module")
def made():
    return pdf(rich())


@pytest.fixture(scope="module")
def document(made):
    return pypdf.PdfReader(io.BytesIO(made))


@pytest.fixture(scope="module")
def text(document):
    return " ".join(" ".join(page.extract_text() for page in document.pages).split())


def test_it_is_tagged_titled_and_in_english(document):
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert document.metadata.title == "Blood counts of jenny, 26 February 2026"
    assert document.metadata.subject == rich().headline
    assert b"pdfuaid" in document.xmp_metadata.stream.get_data()


def described(document):
    """The words that stand for the figures."""
    found = []
    todo, seen = [document.trailer["/Root"]["/StructTreeRoot"]], set()
    while todo:
        each = todo.pop()
        each = each.get_object() if hasattr(each, "get_object") else each
        if isinstance(each, list):
            todo += each
        elif isinstance(each, dict) and id(each) not in seen:
            seen.add(id(each))
            found += [each["/Alt"]] if "/Alt" in each else []
            todo += [each["/K"]] if "/K" in each else []
    return found


def test_the_figure_is_described_for_those_who_do_not_see_it(document):
    assert describe(rich(), analytes=["neutrophils"]) in described(document)


@pytest.mark.parametrize("make", [coming, uncounted], ids=["with counts", "without any count"])
def test_the_figure_of_the_forecast_stands_in_its_section(make):
    document = pypdf.PdfReader(io.BytesIO(pdf(make())))
    (one,) = make().forecasts
    assert forecast_spec(make(), one)["description"] in described(document)
    said = next(" ".join(page.extract_text().split()) for page in document.pages if KEY[0] in page.extract_text())
    assert said.index("What is to come") < said.index(KEY[0])


def test_a_forecast_that_is_withheld_has_no_figure_and_says_why():
    document = pypdf.PdfReader(io.BytesIO(pdf(withheld())))
    text = " ".join(" ".join(page.extract_text() for page in document.pages).split())
    assert KEY[0] not in text
    assert "the unit or the number cannot be right" in text


def test_the_first_page_answers(document):
    first = " ".join(document.pages[0].extract_text().split())
    assert first.replace(" ", "").find(rich().headline.replace(" ", "")) >= 0
    for words in ("Is it low?", "Which line?", "How bad?", "Since when?", "Cannot say", "Counts over time"):
        assert words in first
    assert document.pages[0].mediabox.width == pytest.approx(595.276, abs=0.1)


def test_every_count_notice_and_source_is_on_paper(text):
    plain = text.replace(" ", "")
    for row in points(rich()):
        assert f"{row.when}{row.label}".replace(" ", "") in plain
    for notice in rich().notices:
        assert notice.code in text
    for citation in rich().sources:
        assert citation.title.replace(" ", "") in plain


def test_equal_assessments_give_equal_bytes(made):
    assert pdf(rich()) == made


def test_a_record_without_counts_is_a_pdf_too():
    page = pypdf.PdfReader(io.BytesIO(pdf(bare()))).pages[0].extract_text()
    assert "Cannot say" in page


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", absent)
    with pytest.raises(UsageError, match="typst") as caught:
        pdf(rich())
    assert "leuko[pdf]" in str(caught.value)
