"""The rows that an earlier start read are those of the files, and never those of other files or other code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from leuko.errors import KnowledgeError
from leuko.keeping import keep
from leuko.knowledge import Library, library, stored
from leuko.knowledge.further import further_kinds

HOME = library._home()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEUKO_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def built() -> Library:
    return library._build((HOME,), kept=True)


def said(one: Library) -> dict[str, str]:
    core = {name: repr(getattr(one, name)) for name in one.__struct_fields__ if name not in {"further", "cited"}}
    return core | {repr(kind): repr(one.rows(kind)) for kind in further_kinds()}


def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "_parse", lambda *_: pytest.fail("a file was read again"))


def test_kept_rows_are_those_of_the_files_to_the_last_digit(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built()
    (file,) = place.iterdir()
    assert first.hash[:32] in file.name
    no_reading(monkeypatch)
    second = built()
    assert said(second) == said(first) == said(library.load_library())
    assert second.further.stored is not None
    assert not second.further.parsed


def test_rows_of_other_files_or_other_code_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    first = built()
    assert stored.stored_for(first.hash) is not None
    assert stored.stored_for(first.hash[::-1]) is None
    monkeypatch.setattr(stored, "_READERS", ("library.py",))  # as if the code were another
    assert stored.stored_for(first.hash) is None
    monkeypatch.undo()


def test_a_file_that_is_changed_is_read_though_the_others_are_kept(tmp_path: Path) -> None:
    built()
    folder = tmp_path / "data"
    for file in HOME.glob("*/*.toml"):
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / file.parent.name / file.name).write_bytes(file.read_bytes())
    notices = min((folder / "notices").glob("*.toml"))
    notices.write_text(notices.read_text("utf-8") + "\n[[wrong]]\n", "utf-8")
    with pytest.raises(KnowledgeError):
        library._build((folder,), kept=True)


@pytest.mark.parametrize("content", [b"", b"no msgpack", msgspec.msgpack.encode(["no", "rows"])])
def test_what_cannot_be_decoded_is_read_from_the_files(content: bytes) -> None:
    first = built()
    keep(stored._file(first.hash), content, Path("nowhere"))
    assert said(built()) == said(first)


def test_rows_that_break_the_schema_are_read_from_the_files() -> None:
    first = built()
    kept = dict(stored.stored_for(first.hash) or {})
    for name, broken in zip(sorted(kept), (b"\xc1", msgspec.msgpack.encode([{"id": 3}])) * 200, strict=False):
        kept[name] = msgspec.Raw(broken) if broken != b"\xc1" else msgspec.Raw(msgspec.msgpack.encode(7))
    keep(stored._file(first.hash), msgspec.msgpack.encode(kept), Path("nowhere"))
    again = built()
    assert again.further.stored is not None
    assert said(again) == said(first)


def test_a_kind_that_is_not_kept_is_read_from_the_files() -> None:
    first = built()
    keep(stored._file(first.hash), msgspec.msgpack.encode({}), Path("nowhere"))
    assert said(built()) == said(first)


def test_where_nothing_can_be_kept_no_time_is_spent_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").write_text("no folder")
    monkeypatch.setenv("LEUKO_CACHE", str(tmp_path / "a file"))
    made = built()
    assert not made.further.kept  # no further table was read for it
    assert made.further.stored is None
