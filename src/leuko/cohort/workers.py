"""The engine of processes: for the parts that are told of each person, which keep a processor busy while they run.

Each worker is this module, started as a program of its own and spoken with through pipes: it needs nothing of the
caller's script. A batch goes in and its answer comes out as the bytes that Spark is given too.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Final

import polars as pl

import leuko
from leuko.cohort.engine import Answered, Asked, Engine, Task, answer
from leuko.cohort.packed import pack, said_bytes, said_of, unpack
from leuko.cohort.tables import rules_of
from leuko.errors import LeukoError
from leuko.knowledge import load_library

_LENGTH: Final = struct.Struct(">Q")
_ANSWERED, _FAILED = b"a", b"f"
# one thread each: there are as many workers as processors were asked for, and sums keep one order
_ALONE: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


def processes(number: int = 2, *, knowledge: Sequence[Path] = ()) -> Engine:
    """The engine of one machine for what one processor is busy with: `number` workers, each with rules of its own.

    `knowledge` are the folders of knowledge that the run reads beside the shipped one. Raises LeukoError where a worker
    ends before its time; what was answered until then is kept, and the run can be resumed.
    """

    def answered(tasks: Iterator[Task], asked: Asked) -> Iterator[tuple[Task, Answered]]:
        started: list[_Worker] = []
        idle: SimpleQueue[_Worker] = SimpleQueue()

        def work(task: Task) -> Answered:
            worker = idle.get()
            try:
                return worker.answer(task)
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(number) as pool:
            try:
                waiting: dict[Future[Answered], Task] = {}
                for task in tasks:
                    if len(started) < number:
                        started.append(_Worker(asked, knowledge))
                        idle.put(started[-1])
                    waiting[pool.submit(work, task)] = task
                    if len(waiting) > 2 * number:
                        yield from _done(waiting)
                while waiting:
                    yield from _done(waiting)
            finally:
                for worker in started:
                    worker.end()

    return answered


def _done(waiting: dict[Future[Answered], Task]) -> Iterator[tuple[Task, Answered]]:
    """The answers that are there, at least one."""
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        yield waiting.pop(future), future.result()


class _Worker:
    """One process that answers batches, one after another."""

    def __init__(self, asked: Asked, knowledge: Sequence[Path]) -> None:
        home = str(Path(leuko.__file__).parents[1])
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            (sys.executable, "-m", "leuko.cohort.workers"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ALONE, "PYTHONPATH": path},
        )
        self._first = pickle.dumps((asked.as_of, asked.wanted, asked.each, tuple(knowledge)))

    def answer(self, task: Task) -> Answered:
        """The answer to one batch."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None  # noqa: S101 (pipes, as asked above)
        assert out is not None  # noqa: S101
        try:
            if self._first:
                _write(into, self._first)
                self._first = b""
            _write(into, pack(task.tables))
            kind, content = out.read(1), _read(out)
        except (BrokenPipeError, EOFError) as error:
            raise LeukoError(
                "a worker ended before its time",
                why=f"exit status {self._process.wait()}",
                do="look at what it said last, see whether memory was short, and resume the run",
            ) from error
        if kind == _FAILED:
            raise pickle.loads(content)  # noqa: S301 (from a process of our own)
        return Answered(tables=unpack(content), said=said_of(_read(out)))

    def end(self) -> None:
        """Ends the process, busy or not."""
        self._process.kill()
        self._process.communicate()


def _write(stream: IO[bytes], content: bytes) -> None:
    stream.write(_LENGTH.pack(len(content)))
    stream.write(content)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """One message; EOFError where the other side is gone."""
    head = stream.read(_LENGTH.size)
    content = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if len(head) < _LENGTH.size or len(content) < _LENGTH.unpack(head)[0]:
        raise EOFError
    return content


def serve(into: IO[bytes], out: IO[bytes]) -> None:
    """What a worker does: the question once, then batches until there are no more."""
    as_of, wanted, each, knowledge = pickle.loads(_read(into))  # noqa: S301 (from the process that started this one)
    asked = Asked(
        rules=rules_of(load_library(*knowledge) if knowledge else None), as_of=as_of, wanted=wanted, each=each
    )
    while True:
        try:
            tables = unpack(_read(into))
        except EOFError:
            return
        _give(out, tables, asked)


def _give(out: IO[bytes], tables: dict[str, pl.DataFrame], asked: Asked) -> None:
    try:
        done = answer(tables, asked)
    except Exception as error:  # noqa: BLE001 (raised again by the process that asked)
        out.write(_FAILED)
        _write(out, _pickled(error))
        return
    out.write(_ANSWERED)
    _write(out, pack(done.tables))
    _write(out, said_bytes(done.said))


def _pickled(error: Exception) -> bytes:
    """An error as bytes; one that does not travel as what it says."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)  # noqa: S301 (made above)
    except Exception:  # noqa: BLE001 (errors pickle in as many ways as there are)
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return content


def main() -> None:
    """A worker: batches on stdin, answers on stdout; whatever is printed goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, out)


if __name__ == "__main__":
    main()
