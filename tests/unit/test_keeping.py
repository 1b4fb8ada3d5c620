"""What is kept for the next start is used if it is whole, and never needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from leuko.keeping import find, keep
from leuko.report.compiled import kept


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEUKO_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_kept_is_found(place: Path) -> None:
    assert find("a-1.o", Path("nowhere")) is None
    keep("a-1.o", b"code", Path("nowhere"))
    assert find("a-1.o", Path("nowhere")) == b"code"


def test_what_is_not_whole_counts_as_absent(place: Path) -> None:
    keep("a-1.o", b"code", Path("nowhere"))
    (place / "a-1.o").write_bytes((place / "a-1.o").read_bytes()[:-1])
    assert find("a-1.o", Path("nowhere")) is None


def test_what_it_stands_in_place_of_is_taken_away_and_nothing_else(place: Path) -> None:
    for name in ("a-1.o", "b-1.o", "a-1.other"):
        keep(name, b"old", Path("nowhere"))
    keep("a-2.o", b"new", Path("nowhere"), instead_of="a-*.o")
    assert sorted(path.name for path in place.iterdir()) == ["a-1.other", "a-2.o", "b-1.o"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setenv("LEUKO_CACHE", str(tmp_path / "a file"))
    keep("a-1.o", b"code", Path("nowhere"))
    assert find("a-1.o", Path("nowhere")) is None


def test_without_a_place_of_ones_own_it_lies_beside_the_code_or_else_in_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEUKO_CACHE", raising=False)
    monkeypatch.setattr("leuko.keeping._of_user", lambda: tmp_path / "user")
    beside = tmp_path / "package"
    keep("a-1.o", b"code", beside)
    assert (beside / "__pycache__" / "a-1.o").is_file()
    locked = tmp_path / "locked"
    locked.write_text("a folder that cannot be made")
    keep("b-1.o", b"code", locked)
    assert (tmp_path / "user" / "leuko" / "b-1.o").is_file()
    assert find("b-1.o", locked) == b"code"


def page(text: str) -> str:
    environment = Environment(loader=DictLoader({"page": text}), bytecode_cache=kept(), autoescape=True)
    return environment.get_template("page").render(name="<a>")


def test_a_template_is_compiled_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page("Good day, {{ name }}")
    assert first == "Good day, &lt;a&gt;"

    def compiled(*_: object, **__: object) -> None:
        pytest.fail("compiled again")

    monkeypatch.setattr("jinja2.environment.Environment.compile", compiled)
    assert page("Good day, {{ name }}") == first


def test_a_template_whose_text_is_another_is_compiled_again(place: Path) -> None:
    assert page("Good day, {{ name }}") == "Good day, &lt;a&gt;"
    assert page("Good night, {{ name }}") == "Good night, &lt;a&gt;"
    assert len(list(place.iterdir())) == 1


def test_damaged_code_of_a_template_is_not_run(place: Path) -> None:
    page("Good day, {{ name }}")
    (file,) = place.iterdir()
    file.write_bytes(file.read_bytes()[:-10] + b"0123456789")
    assert page("Good day, {{ name }}") == "Good day, &lt;a&gt;"
