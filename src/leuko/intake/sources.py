"""From paths to bytes: files, folders, archives and standard input, each member a `Blob`.

Nothing is written to disk, so the names inside an archive are labels only. Whatever cannot be read becomes a notice,
and the rest goes on.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from leuko.errors import Notice, Place, Severity
from leuko.frozen import Frozen
from leuko.intake.base import Blob

STDIN = "-"
CHUNK = 1 << 20
HIDDEN_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, NotImplementedError, ValueError)


class Limits(Frozen, frozen=True, kw_only=True):
    """What an archive may unfold to [bytes, members, levels]: guards against archives made to exhaust the machine."""

    total_bytes: int = 4 << 30
    members: int = 200_000
    depth: int = 4


class Gathered(Frozen, frozen=True, kw_only=True):
    """The blobs in a fixed order, and a notice for everything that is not among them."""

    blobs: tuple[Blob, ...]
    notices: tuple[Notice, ...]


class _TooMuch(Exception):  # noqa: N818 (not an error of the caller: it ends one archive)
    """An archive passed a limit."""


def gather(paths: Sequence[str | Path], *, limits: Limits | None = None) -> Gathered:
    """Read every path into memory: a file, a folder (recursively), .zip, .tar, .tar.gz, .gz, or "-" for standard input.

    Blobs are named after the path's own last part (`export.zip!labs.csv`), never after this machine's folders, unless
    two paths would share a name. The order of the result does not depend on the order of `paths`.
    """
    work = _Work(limits=limits or Limits())
    seen: set[str] = set()
    for path, label in _labelled(paths):
        real = _real(path, label)
        if real in seen:
            work.tell("LK111", "info", "the same file was named twice and is read once", label)
        else:
            _take_path(work, path, label, seen)
        seen.add(real)
    blobs = sorted(work.blobs, key=lambda blob: (blob.name, blob.data))
    return Gathered(blobs=tuple(blobs), notices=tuple(sorted(work.notices, key=_by_place)))


def gather_content(contents: Sequence[Blob], *, limits: Limits | None = None) -> Gathered:
    """The same for content that is in memory already, as an upload or a paste: archives are opened, nothing touches a
    disk."""
    work = _Work(limits=limits or Limits())
    for blob in contents:
        _take_bytes(work, printable(blob.name), blob.data, depth=0)
    blobs = sorted(work.blobs, key=lambda blob: (blob.name, blob.data))
    return Gathered(blobs=tuple(blobs), notices=tuple(sorted(work.notices, key=_by_place)))


def _real(path: Path, label: str) -> str:
    try:
        return STDIN if label == "<stdin>" else os.path.realpath(path)
    except ValueError:  # a null byte in the path
        return str(path)


def printable(name: str) -> str:
    """A name from outside, fit to be printed: control and other invisible characters shown as `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _by_place(notice: Notice) -> tuple[str, str, str]:
    return (notice.place.source, notice.code, notice.text)


def _labelled(paths: Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Each path with the name that notices print: its last part, or the path as given where that is shared."""
    given = sorted({str(path) for path in paths})
    last = [Path(text).name or Path(text).resolve().name or text for text in given]
    return [
        (Path(text), "<stdin>" if text == STDIN else printable(name if last.count(name) == 1 else text))
        for text, name in zip(given, last, strict=True)
    ]


@dataclass(slots=True, kw_only=True)
class _Work:
    """What has been gathered so far; one object per call."""

    limits: Limits
    blobs: list[Blob] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    unfolded: int = 0
    members: int = 0

    def tell(
        self, code: str, severity: Severity, text: str, source: str, *, help_: str = "", lost: bool = False
    ) -> None:
        self.notices.append(
            Notice(
                code=code,
                severity=severity,
                text=text,
                place=Place(source=source),
                help=help_ or None,
                data_lost=lost,
            )
        )

    def fail(self, code: str, text: str, source: str, do: str) -> None:
        self.tell(code, "error", text, source, help_=do, lost=True)


def _take_path(work: _Work, path: Path, label: str, seen: set[str]) -> None:
    if label == "<stdin>":
        _take_bytes(work, label, sys.stdin.buffer.read(), depth=0)
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        work.fail("LK101", "there is no such file or folder", label, "check the spelling of the path")
        return
    except (OSError, ValueError) as error:
        _fail_os(work, label, error)
        return
    if stat.S_ISDIR(mode):
        _take_folder(work, path, label, seen)
    else:
        _take_file(work, path, label)


def _fail_os(work: _Work, label: str, error: Exception) -> None:
    if isinstance(error, PermissionError):
        work.fail("LK102", "the file may not be read: permission denied", label, "give yourself the right to read it")
        return
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    work.fail("LK102", f"the file cannot be read: {why}", label, "check that the disk and the path are in order")


def _take_file(work: _Work, path: Path, label: str) -> None:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        _fail_os(work, label, error)
        return
    _take_bytes(work, label, data, depth=0)


def _take_folder(work: _Work, folder: Path, label: str, seen: set[str]) -> None:
    skipped: list[str] = []
    odd: list[str] = []
    found = 0

    def on_error(error: OSError) -> None:
        _fail_os(work, f"{label}/{printable(_relative(error.filename, folder))}", error)

    for here, folders, files in os.walk(folder, onerror=on_error):
        skipped += [name for name in folders if _is_hidden(name)]
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(here) / name
            if _is_hidden(name):
                skipped.append(name)
            elif not os.path.isfile(path):  # noqa: PTH113 (Path.is_file raises where the right to look is missing)
                odd.append(name)
            elif (real := os.path.realpath(path)) not in seen:
                found += 1
                seen.add(real)
                _take_file(work, path, f"{label}/{printable(path.relative_to(folder).as_posix())}")
    _tell_skipped(work, label, skipped, odd)
    if not found:
        work.fail("LK117", "the folder holds no file that can be read", label, "name the folder that holds the files")


def _relative(name: str | bytes | None, folder: Path) -> str:
    try:
        return Path(os.fsdecode(name or "")).relative_to(folder).as_posix()
    except ValueError:
        return "?"


def _tell_skipped(work: _Work, label: str, hidden: list[str], odd: list[str]) -> None:
    if hidden:
        text = f"{_files(len(hidden))} hidden, lock or system files, skipped: {_some(hidden)}"
        work.tell("LK105", "info", text, label, help_="name such a file itself to have it read")
    if odd:
        text = f"{_files(len(odd))} broken links, pipes or devices, skipped: {_some(odd)}"
        work.tell("LK110", "warning", text, label, help_="copy the data into a regular file", lost=True)


def _files(number: int) -> str:
    return "1 entry of the kind:" if number == 1 else f"{number} entries of the kind:"


def _some(names: list[str], most: int = 5) -> str:
    shown = ", ".join(printable(name) for name in sorted(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _is_hidden(name: str) -> bool:
    """Dot files, office lock files (`~$labs.xlsx`, `.~lock.labs.ods#`) and what file managers leave behind."""
    return name.startswith((".", "~$")) or name.lower() in HIDDEN_NAMES


# ---- archives -------------------------------------------------------------------------------------------------------


def _take_bytes(work: _Work, name: str, data: bytes, *, depth: int) -> None:
    open_ = _opener(data)
    if open_ is None:
        work.blobs.append(Blob(name=name, data=data))
        return
    if depth >= work.limits.depth:
        work.fail("LK108", f"archives inside archives deeper than {depth} levels are not opened", name, UNPACK)
        return
    try:
        open_(work, name, data, depth)
    except _TooMuch as limit:
        work.fail("LK108", str(limit), name, UNPACK)
    except DAMAGE as error:
        work.fail("LK106", f"the archive is damaged: {printable(str(error)) or type(error).__name__}", name, FETCH)


UNPACK = "unpack the archive yourself, look at what it holds, and name the files"
FETCH = "fetch or copy the archive again, and check its size against the original"


def _opener(data: bytes) -> Callable[[_Work, str, bytes, int], None] | None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None if _is_office(data) else _open_zip
    if data.startswith(b"\x1f\x8b"):
        return _open_gzip
    return _open_tar if data[257:262] == b"ustar" else None


def _is_office(data: bytes) -> bool:
    """XLSX and OpenDocument files are zip archives too: they go to the table reader as they are."""
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except DAMAGE:
        return False
    return "[Content_Types].xml" in names or "META-INF/manifest.xml" in names


def _drain(work: _Work, stream: IO[bytes] | gzip.GzipFile) -> bytes:
    """Read a stream to its end, or stop at the limit; sizes that an archive claims are not believed."""
    parts: list[bytes] = []
    while part := stream.read(CHUNK):
        work.unfolded += len(part)
        if work.unfolded > work.limits.total_bytes:
            raise _TooMuch(f"the archives unfold to more than {work.limits.total_bytes >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


def _count_member(work: _Work) -> None:
    work.members += 1
    if work.members > work.limits.members:
        raise _TooMuch(f"the archives hold more than {work.limits.members} members")


def _open_gzip(work: _Work, name: str, data: bytes, depth: int) -> None:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        inner = _drain(work, stream)
    _take_bytes(work, name, inner, depth=depth + 1)


def _open_zip(work: _Work, name: str, data: bytes, depth: int) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        wanted = _without_hidden(work, name, [info.filename for info in members])
        for info in sorted(members, key=lambda info: info.filename):
            if info.filename in wanted:
                _count_member(work)
                _open_zip_member(work, f"{name}!{printable(info.filename)}", archive, info, depth)


def _open_zip_member(work: _Work, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, depth: int) -> None:
    if info.flag_bits & 0x1:
        work.fail("LK107", "the member is encrypted", name, "decrypt the archive, and read the files themselves")
        return
    try:
        with archive.open(info) as stream:
            data = _drain(work, stream)
    except (*DAMAGE, RuntimeError) as error:
        work.fail("LK106", f"the member is damaged: {printable(str(error))}", name, FETCH)
        return
    _take_bytes(work, name, data, depth=depth + 1)


def _open_tar(work: _Work, name: str, data: bytes, depth: int) -> None:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        members = _tar_members(work, name, archive)
        wanted = _without_hidden(work, name, [info.name for info in members])
        members = sorted((info for info in members if info.name in wanted), key=lambda info: info.name)
        for info in members:
            if info.isfile():
                _count_member(work)
                _open_tar_member(work, f"{name}!{printable(info.name)}", archive, info, depth)
    links = [info.name for info in members if not info.isfile()]
    if links:
        text = f"{_files(len(links))} links or devices, skipped: {_some(links)}"
        work.tell("LK110", "warning", text, name, help_="pack the files themselves, not links to them", lost=True)


def _tar_members(work: _Work, name: str, archive: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """The members up to where the archive ends or breaks off."""
    members: list[tarfile.TarInfo] = []
    try:
        while (info := archive.next()) is not None:
            members += [] if info.isdir() else [info]
            if len(members) > work.limits.members:
                raise _TooMuch(f"the archive holds more than {work.limits.members} members")
    except DAMAGE as error:
        work.fail("LK106", f"the archive breaks off: {printable(str(error))}", name, FETCH)
    return members


def _open_tar_member(work: _Work, name: str, archive: tarfile.TarFile, info: tarfile.TarInfo, depth: int) -> None:
    try:
        stream = archive.extractfile(info)
        data = b"" if stream is None else _drain(work, stream)
    except DAMAGE as error:
        work.fail("LK106", f"the member is damaged: {printable(str(error))}", name, FETCH)
        return
    _take_bytes(work, name, data, depth=depth + 1)


def _without_hidden(work: _Work, archive: str, names: list[str]) -> frozenset[str]:
    hidden = [name for name in names if any(map(_is_hidden, _parts(name)))]
    _tell_skipped(work, archive, hidden, [])
    if not names:
        work.fail("LK117", "the archive is empty", archive, "check that it was packed from the right folder")
    return frozenset(names) - frozenset(hidden)


def _parts(name: str) -> list[str]:
    """The parts of a member's name; `.` and `..` are no hidden files."""
    return [part for part in PurePosixPath(name).parts if part not in {".", ".."}]
