"""How many ORU messages of 20 OBX are stored durably and acknowledged a second; and whether kills lose one.

    python bench/service.py                      the service on SQLite, 1 and 100 connections, beside python-hl7's parse
    python bench/service.py --store postgresql://leuko@/bench?host=/run/postgresql
    python bench/service.py --kills 50 --messages 10000      kill -9 at random moments; all must be there, once
    python bench/service.py --memory --messages 100000       resident memory on the way, over 100 connections
    python bench/service.py --memory --grading --messages 20000 --people 500     the grading process beside it too

Wall-clock rates hang on the disk and on what else runs; the processor time of the service a message does so less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fixtures.hl7 import frame
from fixtures.mllp import Sender, Service, cbc
from leuko.intake.hl7.people import identifiers
from leuko.intake.hl7.wire import parse

TICKS = os.sysconf("SC_CLK_TCK")


def processor(pid: int) -> float:
    """Seconds of user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def parse_rates(number: int = 60) -> dict[str, float]:
    """Messages a second of processor time: python-hl7's parse alone, and ours with the person's numbers."""
    import hl7  # only this comparison needs it

    text = cbc(1)
    raw = text.encode()

    def ours() -> None:
        for part in parse(raw).parts():
            identifiers(part)

    rates = {}
    for name, run in (("python-hl7", lambda: hl7.parse(text)), ("leuko", ours)):
        each = []
        for _ in range(5):
            start = time.process_time()
            for _ in range(number):
                run()
            each.append((time.process_time() - start) / number)
        rates[name] = 1 / statistics.median(each)
    return rates


async def _one(port: int, frames: list[bytes], delays: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for data in frames:
        start = time.perf_counter()
        writer.write(data)
        answer = await reader.readuntil(b"\x1c\r")
        delays.append(time.perf_counter() - start)
        assert b"MSA|AA|" in answer
    writer.close()
    await writer.wait_closed()


async def send(port: int, frames: list[bytes], connections: int) -> tuple[float, list[float]]:
    """Wall-clock seconds until all are acknowledged, and the wait of each."""
    delays: list[float] = []
    start = time.perf_counter()
    await asyncio.gather(*(_one(port, frames[at::connections], delays) for at in range(connections)))
    return time.perf_counter() - start, sorted(delays)


def rates(address: str, messages: int) -> None:
    parsed = parse_rates()
    print(
        f"parse alone [messages a second of processor time]: python-hl7 {parsed['python-hl7']:,.0f}, leuko {parsed['leuko']:,.0f}"
    )
    service = Service(address, "--no-grading")
    try:
        done = 0
        for connections, share in ((1, 10), (100, 1)):
            number = max(messages // share, connections)
            frames = [frame(cbc(done + at, person=at % 500)) for at in range(number)]
            before = processor(service.process.pid)
            wall, delays = asyncio.run(send(service.port, frames, connections))
            used = processor(service.process.pid) - before
            done += number
            print(
                f"{connections:>3} connections: {number} messages, {number / wall:,.0f} acknowledged a second "
                f"({number / wall / parsed['python-hl7']:.1f} x python-hl7's parse), wait p50 {delays[len(delays) // 2] * 1e3:.1f} ms, "
                f"p99 {delays[int(len(delays) * 0.99)] * 1e3:.1f} ms; service {used / number * 1e6:,.0f} us of processor a message, "
                f"{number / used:,.0f} a second"
            )
        print(f"resident memory after {done} messages: {resident(service.process.pid):.0f} MiB")
    finally:
        service.stop()


def memory(address: str, messages: int, *, people: int, grading: bool, steps: int = 5) -> None:
    """Resident memory of the service after each share of the messages; with grading, once all of them are graded."""
    service = Service(address, *(() if grading else ("--no-grading",)))
    grader = grading_of(service.process.pid) if grading else None
    try:
        tell_memory(0, service.process.pid, grader)
        for step in range(steps):
            first, last = messages * step // steps, messages * (step + 1) // steps
            asyncio.run(send(service.port, [frame(cbc(at, person=at % people)) for at in range(first, last)], 100))
            if grading:
                wait_until_graded(address)
            tell_memory(last, service.process.pid, grader)
    finally:
        service.stop()


def tell_memory(messages: int, endpoint: int, grader: int | None) -> None:
    """One line: what each process holds, the most that the grading process ever held, its processor time."""
    line = f"{messages:>7} messages: endpoint {resident(endpoint):.0f} MiB"
    if grader is not None:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{grader}/status").read_text())
        most = int(peak[1]) / 1024 if peak is not None else float("nan")
        line += f"; grading {resident(grader):.0f} MiB, at most {most:.0f}, {processor(grader):,.0f} s of processor"
    print(line, flush=True)


def grading_of(endpoint: int) -> int:
    """The process that grades: the child that runs our own code, once it has read the knowledge."""
    for _ in range(600):
        for pid in Path(f"/proc/{endpoint}/task/{endpoint}/children").read_text().split():
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes() and processor(int(pid)) > 0.5:
                time.sleep(5)
                return int(pid)
        time.sleep(0.1)
    raise SystemExit("no grading process was found")


def wait_until_graded(address: str) -> None:
    """Until a run of grading has come to the last message."""
    from sqlalchemy import func, select

    from leuko.service.store import open_as_it_is, tables

    store = open_as_it_is(address)
    while True:
        with store.read() as connection:
            last = connection.execute(select(func.coalesce(func.max(tables.message.c.id), 0))).scalar_one()
            done = connection.execute(select(func.coalesce(func.max(tables.reading.c.through), 0))).scalar_one()
        if done >= last:
            store.close()
            return
        time.sleep(1)


def kills(address: str, messages: int, number: int, seed: int) -> None:
    """One sender that repeats what was not acknowledged, against a service that is killed again and again."""
    from sqlalchemy import func, select

    from leuko.service.store import audit, open_store, tables

    chance = random.Random(seed)  # noqa: S311 (moments of a test)
    moments = sorted(chance.sample(range(1, messages - 1), number))
    at, killed = 0, 0
    while at < messages:
        service = Service(address, "--no-grading")
        sender = Sender(service.port)
        try:
            while at < messages:
                if moments and at >= moments[0]:
                    moments.pop(0)
                    killed += 1
                    sender.send(frame(cbc(at, person=at % 50)))
                    time.sleep(chance.random() * 0.01)
                    service.kill()
                code, control = sender.ask(cbc(at, person=at % 50))
                assert (code, control) == ("AA", f"C{at}")
                at += 1
            service.stop()
        except (ConnectionError, OSError):
            pass
        finally:
            sender.close()
    store = open_store(address)
    with store.read() as connection:
        stored = connection.execute(select(func.count()).select_from(tables.message)).scalar_one()
        distinct = connection.execute(select(func.count(tables.message.c.control_id.distinct()))).scalar_one()
    sound = audit.verify(store).sound
    store.close()
    print(
        f"{messages} acknowledged, {killed} kills: {stored} stored, {distinct} distinct, audit {'whole' if sound else 'BROKEN'}"
    )
    assert stored == distinct == messages
    assert sound


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--messages", type=int, default=10_000)
    words.add_argument("--store", help="an empty store; a file in a new folder unless given")
    words.add_argument("--kills", type=int, default=0)
    words.add_argument("--memory", action="store_true")
    words.add_argument("--grading", action="store_true", help="with --memory: grade too, and tell of that process")
    words.add_argument("--people", type=int, default=500, help="with --memory: how many people the messages are of")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="leuko-bench-") as folder:
        address = given.store or str(Path(folder) / "bench.sqlite")
        if given.kills:
            kills(address, given.messages, given.kills, given.seed)
        elif given.memory:
            memory(address, given.messages, people=given.people, grading=given.grading)
        else:
            rates(address, given.messages)


if __name__ == "__main__":
    main()
