"""Reading: files, folders, archives and what is none of them."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fhir_build import bundle, observation, patient, write
from leuko.errors import ExitCode, UnreadableInput, UsageError
from leuko.intake import Intake, read, readers
from leuko.intake.sources import Limits, gather

PERSON = bundle(patient(), observation())
OTHER = bundle(patient("bob"), observation("w9", value=8.0, subject={"reference": "Patient/bob"}))


def values(intake: Intake) -> list[float]:
    return [count.value for record in intake.records for count in record.counts]


def told(intake: Intake) -> dict[str, str]:
    return {notice.code: str(notice.place) for notice in intake.notices}


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def raw(content: Any) -> bytes:
    return json.dumps(content).encode()


# ---- where data lie -------------------------------------------------------------------------------------------------


def test_the_readers_are_found() -> None:
    assert "fhir" in [reader.NAME for reader in readers()]


def test_no_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        read()


def test_a_folder_is_read_to_its_leaves(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.json", PERSON)
    write(tmp_path / "in" / "deep" / "er" / "b.json", OTHER)
    got = read(tmp_path / "in")
    assert sorted(values(got)) == [3.2, 8.0]
    assert {record.sources for record in got.records} == {("in/a.json",), ("in/deep/er/b.json",)}


def test_hidden_and_lock_files_are_skipped_and_told(tmp_path: Path) -> None:
    write(tmp_path / "a.json", PERSON)
    for name in (".b.json", "~$c.xlsx", ".~lock.d.ods#", "Thumbs.db", ".git/e.json"):
        write(tmp_path / name, OTHER)
    got = read(tmp_path)
    assert values(got) == [3.2]
    (notice,) = [notice for notice in got.notices if notice.code == "LK105"]
    assert notice.severity == "info"
    assert not notice.data_lost


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(raw(PERSON)),
        zipped({"x/a.json": raw(PERSON)}),
        tarred({"x/a.json": raw(PERSON)}),
        gzip.compress(tarred({"x/a.json": raw(PERSON)})),
        zipped({"inner.zip": zipped({"a.json.gz": gzip.compress(raw(PERSON))})}),
        zipped({"../../etc/passwd": raw(PERSON)}),
        b"\xef\xbb\xbf" + raw(PERSON),
        raw(PERSON).decode().encode("utf-16"),
    ],
)
def test_packed_or_marked(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "export.bin"
    path.write_bytes(packed)
    got = read(path)
    assert values(got) == [3.2]
    assert all(count.origin.place.source.startswith("export.bin") for count in got.records[0].counts)
    assert sorted(tmp_path.iterdir()) == [path]


def test_members_are_named_after_their_archive(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"labs/a.json": raw(PERSON)}))
    assert read(path).records[0].sources == ("export.zip!labs/a.json",)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(raw(PERSON)))))
    got = read("-")
    assert values(got) == [3.2]
    assert got.records[0].sources == ("<stdin>",)


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a" / "x.json", PERSON), write(tmp_path / "b" / "x.json", OTHER)
    sources = {record.sources[0] for record in read(first, second).records}
    assert sources == {str(first), str(second)}


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", PERSON)
    got = read(path, str(path), tmp_path)
    assert values(got) == [3.2]
    assert "LK111" in told(got)


def test_the_order_of_paths_changes_nothing(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{n}.json", one) for n, one in enumerate((PERSON, OTHER, bundle(patient("cy"))))]
    assert read(*paths) == read(*reversed(paths))


def test_the_digest_rests_on_content_not_on_files(tmp_path: Path) -> None:
    first = read(write(tmp_path / "a" / "one.json", PERSON))
    second = read(
        write(tmp_path / "b" / "two.ndjson", "\n".join(json.dumps(one["resource"]) for one in PERSON["entry"]))
    )
    assert first.records[0].digest == second.records[0].digest != ""


# ---- what cannot be read --------------------------------------------------------------------------------------------

BROKEN = {
    "LK103": b" \n",
    "LK104": b"\x00\x01\x02\x03binary",
    "LK106": gzip.compress(raw(PERSON))[:-20],
    "LK112": b'{"resourceType": "Bundle",\n "entry": [}',
    "LK113": raw(PERSON)[:-40],
    "LK114": b'{"patient": "A", "wbc": 3.1}',
    "LK115": b'<Bundle xmlns="http://hl7.org/fhir"><entry/></Bundle>',
    "LK117": zipped({}),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_file_alone_is_an_error_for_people(tmp_path: Path, code: str) -> None:
    path = tmp_path / "labs.json"
    path.write_bytes(BROKEN[code])
    with pytest.raises(UnreadableInput) as caught:
        read(path)
    error = caught.value
    assert error.exit_code == ExitCode.UNREADABLE
    assert "labs.json" in error.where
    assert error.do
    assert code in error.why


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_file_among_others_is_a_notice(tmp_path: Path, code: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(BROKEN[code])
    got = read(write(tmp_path / "good.json", PERSON), path)
    assert values(got) == [3.2]
    (notice,) = [notice for notice in got.notices if notice.code == code]
    assert notice.severity == "error"
    assert notice.place.source.startswith("broken.json")


def test_a_syntax_error_names_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="line 2, column 12"):
        read(write(tmp_path / "a.json", BROKEN["LK112"].decode()))


def test_a_truncated_file_names_where_it_ends(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="line 1, column"):
        read(write(tmp_path / "a.json", BROKEN["LK113"].decode()))


def test_json_nested_without_end(tmp_path: Path) -> None:
    for text in ("[" * 200_000, '{"resourceType":"Bundle","entry":[' + '{"resource":' * 100_000):
        with pytest.raises(UnreadableInput):
            read(write(tmp_path / "a.json", text))


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"%PDF-1.7", "PDF"), (b"Rar!\x1a", "RAR archive"), (b"\x89PNG\r\n", "PNG"), (b"\xd0\xcf\x11\xe0", "old Office")],
)
def test_known_formats_are_called_by_their_names(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(UnreadableInput, match=name):
        read(path)


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="no such file"):
        read(tmp_path / "nowhere.json")
    got = read(tmp_path / "nowhere.json", write(tmp_path / "a.json", PERSON))
    assert told(got)["LK101"] == "nowhere.json"
    with pytest.raises(UnreadableInput):
        read("a\0b")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, secret = write(tmp_path / "a.json", PERSON), write(tmp_path / "secret.json", OTHER)
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "secret.json":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    got = read(good, secret)
    assert values(got) == [3.2]
    assert told(got)["LK102"] == "secret.json"
    with pytest.raises(UnreadableInput, match="permission"):
        read(secret)


def test_nothing_about_anybody(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput):
        read(write(tmp_path / "a.json", bundle({"resourceType": "Organization", "id": "o"})))
    with pytest.raises(UnreadableInput):
        read(write(tmp_path / "a.json", {"resourceType": "Bundle", "type": "searchset"}))


def test_bytes_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    body = bundle(patient(), observation(valueQuantity={"value": 3200, "unit": "/µL"}))
    path.write_bytes(json.dumps(body, ensure_ascii=False).encode("cp1252"))
    got = read(path)
    assert values(got) == [3.2]
    assert "LK116" in told(got)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="no file"):
        read(tmp_path)


# ---- archives that mean harm, or met with it ------------------------------------------------------------------------


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"a.json": raw(PERSON), "b.json": b"0" * 5_000_000}))
    got = gather([path], limits=Limits(total_bytes=1_000_000))
    assert [blob.name for blob in got.blobs] == ["bomb.zip!a.json"]
    assert [notice.code for notice in got.notices] == ["LK108"]


def test_too_many_members_and_levels(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(zipped({f"{n}.json": b"{}" for n in range(9)}))
    assert [notice.code for notice in gather([path], limits=Limits(members=5)).notices] == ["LK108"]
    nested = raw(PERSON)
    for _ in range(9):
        nested = gzip.compress(nested)
    path.write_bytes(nested)
    assert [notice.code for notice in gather([path]).notices] == ["LK108"]


def test_an_encrypted_member_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": raw(PERSON), "z.json": raw(OTHER)}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rindex(mark) + offset
        data[at : at + 2] = struct.pack("<H", 1)
    path = tmp_path / "half.zip"
    path.write_bytes(bytes(data))
    got = read(path)
    assert values(got) == [3.2]
    assert told(got)["LK107"] == "half.zip!z.json"


def test_a_damaged_member_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": raw(PERSON), "z.json": raw(OTHER)}))
    at = data.index(b"z.json") + 20
    data[at : at + 8] = b"\xff" * 8
    path = tmp_path / "half.zip"
    path.write_bytes(bytes(data))
    got = read(path)
    assert values(got) == [3.2]
    assert told(got)["LK106"] == "half.zip!z.json"


def test_a_tar_that_breaks_off_gives_what_came_before(tmp_path: Path) -> None:
    whole = tarred({"a.json": raw(PERSON), "z.json": raw(OTHER)})
    path = tmp_path / "cut.tar"
    path.write_bytes(whole[: 512 + 1024 + 512 + 100])
    got = read(path)
    assert values(got) == [3.2]
    assert "LK106" in told(got)


def test_links_in_a_tar_and_pipes_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("passwd.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("a.json")
        info.size = len(raw(PERSON))
        archive.addfile(info, io.BytesIO(raw(PERSON)))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.tar").write_bytes(buffer.getvalue())
    os.mkfifo(tmp_path / "in" / "pipe")
    got = read(tmp_path / "in")
    assert values(got) == [3.2]
    assert [notice.code for notice in got.notices].count("LK110") == 2


def test_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.json": raw(PERSON), "\x1b[31mevil\n.json": b"\0"}))
    got = read(path)
    assert all(str(notice.place).isprintable() for notice in got.notices)


# ---- one person in several files ------------------------------------------------------------------------------------


def test_one_person_in_two_files_is_one_record(tmp_path: Path) -> None:
    first = write(tmp_path / "a.json", PERSON)
    second = write(tmp_path / "b.json", bundle(patient(), observation("w2", value=2.9)))
    (record,) = read(first, second).records
    assert sorted(count.value for count in record.counts) == [2.9, 3.2]


def test_the_same_export_twice_is_the_same_record(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.json", PERSON), write(tmp_path / "b.json", PERSON)
    assert read(first, second).records[0].digest == read(first).records[0].digest
