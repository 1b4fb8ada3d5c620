from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from fixtures.assessments import bare, rich
from leuko.errors import UnreadableInput, UsageError
from leuko.report import names, view, views
from leuko.report.document import decode, encode, schema
from leuko.result import SCHEMA_VERSION


@pytest.mark.parametrize("make", [rich, bare])
@pytest.mark.parametrize("pretty", [True, False])
def test_a_document_gives_the_same_assessment_back(make, pretty):
    assert decode(encode(make(), pretty=pretty)) == make()


def test_equal_assessments_give_equal_bytes():
    assert encode(rich()) == encode(rich())


@pytest.mark.parametrize("make", [rich, bare])
def test_documents_keep_to_the_schema(make):
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(json.loads(encode(make())))


def test_the_schema_refuses_what_is_no_assessment():
    document = json.loads(encode(rich()))
    document["latest"][0]["grades"][0]["value"] = "four"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_published_schema_is_the_schema():
    published = resources.files("leuko") / "data" / "schema" / f"assessment-{SCHEMA_VERSION}.json"
    assert json.loads(published.read_text(encoding="utf-8")) == schema(), "a change of the types is a new version"


def test_every_type_of_the_schema_is_described():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert [name for name, part in schema()["$defs"].items() if not part.get("description")] == []


def test_another_version_is_refused_by_name():
    document = json.loads(encode(rich())) | {"schema_version": "0.9"}
    with pytest.raises(UnreadableInput, match=r"schema 0\.9"):
        decode(json.dumps(document))


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"schema_version": "1.0"}'])
def test_junk_is_no_document(junk):
    with pytest.raises(UnreadableInput):
        decode(junk)


def test_views_are_found_and_write_bytes():
    assert set(views()) >= {"json", "html", "pdf", "terminal"}
    assert [each.name for each in views().values()] == list(names())
    assert decode(view("json").write(rich())) == rich()
    assert view("terminal").write(rich()).decode().startswith("Severe neutropenia")
    assert view("html").media_type.startswith("text/html")


def test_an_unknown_view_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        view("powerpoint")
    assert "html" in str(caught.value)
