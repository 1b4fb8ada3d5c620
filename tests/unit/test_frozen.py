"""Frozen classes answer to `dataclasses` as dataclasses do, and none takes a default that msgspec would not read."""

from __future__ import annotations

import ast
import dataclasses
import gc
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest

import leuko
from leuko.assessment import Asked
from leuko.frozen import Frozen, names_of, replace
from leuko.result.citing import citations_in
from leuko.result.core import Citation

SOURCE = Path(__file__).parents[2] / "src" / "leuko"


class Inner(Frozen, frozen=True, kw_only=True):
    low: float | None = None
    name: str


class Outer(Inner, frozen=True, kw_only=True):
    inner: tuple[Inner, ...] = ()
    kept: dict[str, int] = msgspec.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    name: str
    raw: bytes = dataclasses.field(default=b"", repr=False)


INNER = Inner(name="a")
OUTER = Outer(name="b", inner=(INNER,), kept={"x": 1})


def test_it_is_compared_hashed_and_shown_by_its_fields() -> None:
    assert Inner(name="a") == INNER != Inner(name="a", low=1.0)
    assert {INNER: 1}[Inner(name="a")] == 1
    assert repr(INNER) == "Inner(low=None, name='a')"


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        INNER.name = "b"  # type: ignore[misc]


def test_dataclasses_take_it_for_one_of_theirs() -> None:
    assert dataclasses.is_dataclass(INNER)
    assert [(one.name, one.type) for one in dataclasses.fields(Outer)] == [
        ("low", "float | None"),
        ("name", "str"),
        ("inner", "tuple[Inner, ...]"),
        ("kept", "dict[str, int]"),
    ]
    assert dataclasses.replace(OUTER, name="c") == Outer(name="c", inner=(INNER,), kept={"x": 1})
    assert dataclasses.asdict(OUTER) == {
        "low": None,
        "name": "b",
        "inner": ({"low": None, "name": "a"},),
        "kept": {"x": 1},
    }


def test_the_description_knows_which_fields_must_be_given() -> None:
    told = {one.name: one for one in dataclasses.fields(Outer)}
    assert told["name"].default is dataclasses.MISSING
    assert told["low"].default is None
    assert told["kept"].default_factory is not dataclasses.MISSING
    assert told["kept"].default_factory() == {}


@pytest.mark.parametrize("one", [OUTER, Plain(name="b", raw=b"1")])
def test_replace_changes_one_field_of_either_sort(one: Outer | Plain) -> None:
    changed = replace(one, name="c")
    assert changed.name == "c"
    assert all(getattr(changed, name) == getattr(one, name) for name in names_of(type(one)) if name != "name")
    with pytest.raises(TypeError):
        replace(one, unknown=1)


def test_names_of_either_sort_and_of_none() -> None:
    assert names_of(Outer) == ("low", "name", "inner", "kept")
    assert names_of(Plain) == ("name", "raw")
    assert names_of(int) == ()


def test_no_struct_has_a_field_of_dataclasses_for_a_default() -> None:
    """msgspec would hand out the description of the field in place of its value."""
    wrong = []
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        borrowed = {
            name.asname or name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
            for name in node.names
        }
        wrong += [
            f"{path.relative_to(SOURCE)}: {kind.name}"
            for kind in ast.walk(tree)
            if isinstance(kind, ast.ClassDef) and any(word.arg == "frozen" for word in kind.keywords)
            for line in kind.body
            if isinstance(line, ast.AnnAssign) and isinstance(line.value, ast.Call)
            if ast.unparse(line.value.func) in borrowed | {"dataclasses.field"}
        ]
    assert wrong == []


EXAMPLE = SOURCE / "data" / "examples" / "adult-on-docetaxel.json"


def assessed() -> leuko.Assessment:
    record = leuko.read(EXAMPLE).records[0]
    return leuko.assess(record, as_of=date(2026, 3, 10), asked=Asked(wish=None))


def test_nothing_of_an_assessment_is_left_over_though_no_cycle_of_frozen_things_is_collected() -> None:
    for _ in range(3):  # tables are read, caches filled
        assessed()
    gc.collect()
    before = sys.getallocatedblocks()
    held = assessed()
    gc.collect()
    one = sys.getallocatedblocks() - before
    del held
    for _ in range(4):
        assessed()
    gc.collect()
    assert one > 5000
    assert sys.getallocatedblocks() - before < one / 4  # each of the five would have left as much as one holds


def every_citation(value: object) -> list[Citation]:
    """In the order of the fields, whatever they are annotated as."""
    if isinstance(value, Citation):
        return [value]
    if isinstance(value, (tuple, list)):
        return [found for one in value for found in every_citation(one)]
    if isinstance(value, dict):
        return [found for one in value.values() for found in every_citation(one)]
    return [found for name in names_of(type(value)) for found in every_citation(getattr(value, name))]


def test_every_citation_is_found_in_the_order_of_its_first_place() -> None:
    made = replace(assessed(), sources=())
    found = tuple(dict.fromkeys(citations_in(made)))
    assert len(found) > 50
    assert found == tuple(dict.fromkeys(every_citation(made)))


class Holder(Frozen, frozen=True, kw_only=True):
    within: tuple[Holder, ...] = ()
    any_of: object = None
    word: str = ""
    cited: Citation | None = None


def test_a_citation_is_found_below_itself_and_below_what_is_not_annotated() -> None:
    first, second, third = (Citation(source=name, title=name) for name in "abc")
    inner = Holder(cited=first, any_of={"x": (second,)})
    assert list(citations_in(Holder(within=(inner, inner), any_of=inner, cited=third))) == [second, first, third]
