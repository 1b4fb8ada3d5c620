"""Sources with their notices below the lines that they are about."""

from __future__ import annotations

import json

from leuko.errors import Notice, Place
from leuko.intake.base import Blob
from leuko.web.listing import AROUND, WHOLE, listings
from leuko.web.pointers import JsonText


def _notice(severity: str = "warning", code: str = "LK999", **place: object) -> Notice:
    return Notice(code=code, severity=severity, text="look", place=Place(source="a.txt", **place))


def test_a_notice_stands_below_its_line_the_gravest_first():
    blob = Blob(name="a.txt", data=b"one\ntwo\nthree")
    (found,) = listings([blob], [_notice("info", "LK1", line=2), _notice("error", "LK2", line=2)])
    (stretch,) = found.stretches
    assert [(line.number, line.text) for line in stretch.lines] == [(1, "one"), (2, "two"), (3, "three")]
    assert [notice.code for notice in stretch.lines[1].notices] == ["LK2", "LK1"]
    assert stretch.lines[1].severity == "error"
    assert found.loose == ()


def test_of_a_long_text_only_what_has_something_to_say_is_shown_and_the_rest_is_counted():
    blob = Blob(name="a.txt", data="\n".join(f"line {n}" for n in range(1, WHOLE + 201)).encode())
    (found,) = listings([blob], [_notice(line=100), _notice(line=102), _notice(line=400)])
    assert [(s.left_out, s.lines[0].number, s.lines[-1].number) for s in found.stretches] == [
        (100 - AROUND - 1, 100 - AROUND, 102 + AROUND),
        (400 - AROUND - 1 - (102 + AROUND), 400 - AROUND, 400 + AROUND),
    ]
    assert found.left_out == WHOLE + 200 - 400 - AROUND
    shown = sum(len(s.lines) for s in found.stretches)
    assert shown + sum(s.left_out for s in found.stretches) + found.left_out == WHOLE + 200


def test_a_pointer_leads_to_its_line():
    text = json.dumps({"a": [1, {"b/c": "x", "d": {"e": [[], {"f": "}"}]}}], "g": 'say "]"', "h": 4}, indent=1)
    found = JsonText(text)
    lines = text.splitlines()
    assert lines[found.line_of("/a/1/b~1c") - 1].strip() == '"b/c": "x",'
    assert lines[found.line_of("/a/1/d/e/1/f") - 1].strip() == '"f": "}"'
    assert lines[found.line_of("/h") - 1].strip() == '"h": 4'
    assert found.line_of("") == 1
    assert found.line_of("/a/1/nothing/here") == found.line_of("/a/1"), "as near as there is"
    assert JsonText('{"a": [1, ').line_of("/a/0") == 1


def test_json_on_one_line_is_laid_out_and_says_so():
    data = json.dumps({"entry": [{"value": "x" * 600}, {"value": "y" * 600}]}).encode()
    (found,) = listings([Blob(name="a.txt", data=data)], [_notice(pointer="/entry/1/value")])
    assert found.laid_out
    (line,) = [line for stretch in found.stretches for line in stretch.lines if line.notices]
    assert line.text.strip().startswith('"value": "yyy')
    assert "more characters" in line.text


def test_what_is_no_text_has_its_notices_by_themselves():
    (found,) = listings([Blob(name="a.txt", data=b"PK\x03\x04" + bytes(200))], [_notice(line=4)])
    assert (found.stretches, len(found.loose)) == ((), 1)


def test_a_source_that_was_never_opened_keeps_its_notices():
    gone = Notice(code="LK106", severity="error", text="damaged", place=Place(source="b.zip"), data_lost=True)
    first, second = listings([Blob(name="a.txt", data=b"one")], [gone])
    assert (first.name, second.name, second.loose) == ("a.txt", "b.zip", (gone,))


def test_signs_that_turn_the_direction_of_text_are_shown_as_such():
    (found,) = listings([Blob(name="a.txt", data="0.8\u202e5".encode())], [])
    assert found.stretches[0].lines[0].text == "0.8\ufffd5"
