"""Over the wire: frames in any pieces, answers only after the commit, nothing lost when the plug is pulled."""

from __future__ import annotations

import asyncio
import random
import resource
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from fixtures.hl7 import frame, message, msh, obr, obx, oru, pid
from fixtures.mllp import Sender, cbc, service
from fixtures.stores import Clock, outage
from leuko.__main__ import main
from leuko.errors import UsageError
from leuko.service.acknowledge import acknowledgement
from leuko.service.grade import grade
from leuko.service.inbox import Inbox, Incoming, Verdict
from leuko.service.mllp import Endpoint, Framer, Limits, TooLong
from leuko.service.serve import MllpSettings, tls_of
from leuko.service.store import Store, StoreDown, audit, open_store, tables
from leuko.service.store import people as kept

LATER, LAST = "20260110100000+0100", "20260110110000+0100"

# ---- frames ---------------------------------------------------------------------------------------------------------


def framed(pieces: Sequence[bytes], limit: int = 1 << 20) -> list[bytes]:
    framer = Framer(limit)
    return [found for piece in pieces for found in framer.feed(piece)]


ONE, TWO = oru("0.8").encode(), oru("0.9", control="M2").encode()


@pytest.mark.parametrize(
    "pieces",
    [
        [frame(ONE) + frame(TWO)],  # two frames in one packet
        [frame(ONE)[:50], frame(ONE)[50:] + frame(TWO)[:1], frame(TWO)[1:]],
        [bytes([one]) for one in frame(ONE) + frame(TWO)],  # one byte at a time
        [b"\r\n" + frame(ONE) + b"junk" + frame(TWO)],
        [frame(ONE)[:-1], frame(TWO)],  # without the closing carriage return
    ],
)
def test_frames_are_found_in_any_pieces(pieces: list[bytes]) -> None:
    assert framed(pieces) == [ONE, TWO]


def test_a_frame_that_another_one_interrupts_is_dropped() -> None:
    framer = Framer(1 << 20)
    assert list(framer.feed(frame(ONE)[:60])) == []
    assert list(framer.feed(frame(TWO))) == [TWO]
    assert framer.torn == 1


def test_a_vertical_tab_in_a_text_begins_no_frame() -> None:
    text = message(msh(), "NTE|1||a\x0bb").encode()
    assert framed([frame(text)]) == [text]


def test_a_frame_without_end_is_limited() -> None:
    with pytest.raises(TooLong):
        framed([b"\x0b" + b"x" * 200] * 10, limit=1000)


def test_five_megabytes_in_small_pieces_are_one_message() -> None:
    text = b"x" * 5_000_000
    pieces = [text[at : at + 1000] for at in range(0, len(text), 1000)]
    assert framed([b"\x0b", *pieces, b"\x1c\r"], limit=64 << 20) == [text]


# ---- answers --------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 1, 11, 12, 0, tzinfo=UTC)


def answered(text: str, verdict: Verdict | None = None) -> list[str]:
    given = verdict or _judge(text)
    found = acknowledgement(text.encode(), given, now=NOW)
    return [] if found is None else found.decode().strip("\x0b\x1c\r").split("\r")


def _judge(text: str, code: str = "AA") -> Verdict:
    from leuko.intake.hl7.wire import parse

    return Verdict(code=code, text="", message=parse(text.encode()))  # type: ignore[arg-type]


def test_the_answer_names_the_message_and_goes_back_to_its_sender() -> None:
    head, msa = answered(oru())
    assert head.startswith(r"MSH|^~\&|LEUKO|HOSP|LAB|HOSP|20260111120000+0000||ACK^R01^ACK|")
    assert msa == "MSA|AA|M1"


def test_the_answer_uses_the_delimiters_of_the_message() -> None:
    text = "MSH#*!?%#LAB#HOSP###20260110##ORU*R01#M!1#P#2.3\r"
    assert answered(text)[1] == "MSA#AA#M!1"


@pytest.mark.parametrize(
    ("mode", "code", "expected"),
    [
        ("AL", "AA", "CA"),
        ("AL", "AE", "CE"),
        ("AL", "AR", "CR"),
        ("SU", "AA", "CA"),
        ("SU", "AR", None),
        ("ER", "AA", None),
        ("ER", "AE", "CE"),
        ("NE", "AR", None),
        ("", "AE", "AE"),
    ],
)
def test_the_enhanced_mode_is_answered_as_it_asks(mode: str, code: str, expected: str | None) -> None:
    text = oru().replace("2.5.1||||||", f"2.5.1|||{mode}|||")
    lines = answered(text, _judge(text, code))
    assert (lines[1].split("|")[1] if lines else None) == expected


def test_an_error_says_why_without_the_content() -> None:
    verdict = Verdict(code="AR", text="bad | field ^ here", reason="unreadable")
    lines = answered("MSH||||||||||x", verdict)
    assert lines[1].startswith("MSA|AR|")
    assert "bad   field   here" in lines[2]


# ---- the endpoint ---------------------------------------------------------------------------------------------------

Talk = Callable[[int], Awaitable[None]]


def with_endpoint(
    take: Callable[[Sequence[Incoming]], list[Verdict]], talk: Talk, limits: Limits | None = None
) -> None:
    async def run() -> None:
        async with Endpoint(take, limits=limits) as endpoint:
            _, port = await endpoint.listen("127.0.0.1", 0)
            await asyncio.wait_for(talk(port), 60)

    asyncio.run(run())


async def exchange(port: int, *pieces: bytes, answers: int) -> list[str]:
    """The MSA segments that come back for pieces that are sent one by one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    found = [(await reader.readuntil(b"\x1c\r")).split(b"\r")[1].decode() for _ in range(answers)]
    writer.close()
    await writer.wait_closed()
    return found


def test_messages_are_answered_in_order_whatever_the_pieces(store: Store) -> None:
    whole = frame(oru("0.8")) + frame(oru("0.9", control="M2")) + frame("MSH||") + frame(oru("0.8"))
    expected = ["MSA|AA|M1", "MSA|AA|M2", "MSA|AR|", "MSA|AA|M1"]

    async def talk(port: int) -> None:
        assert await exchange(port, whole, answers=4) == expected
        assert await exchange(port, *[bytes([one]) for one in whole], answers=4) == expected
        assert await exchange(port, whole[:100], whole[100:777], whole[777:], answers=4) == expected

    with_endpoint(Inbox(store).take, talk)
    with store.read() as connection:
        assert len(connection.execute(select(tables.message.c.id)).all()) == 2


def test_latin_1_under_a_utf_8_label_is_stored_and_graded(store: Store) -> None:
    text = message(msh(), pid(), obr(), obx("400", unit="/µL", interval="1800-7700"))

    async def talk(port: int) -> None:
        assert await exchange(port, frame(text.encode("latin-1")), answers=1) == ["MSA|AA|M1"]

    with_endpoint(Inbox(store).take, talk)
    grade(store)
    with store.read() as connection:
        assert [count.value for count in kept.counts_now(connection, "4711^HOSP")] == [0.4]


def test_a_half_frame_is_dropped_with_its_connection(store: Store) -> None:
    async def talk(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(oru())[:80])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await exchange(port, frame(oru()), answers=1) == ["MSA|AA|M1"]

    with_endpoint(Inbox(store).take, talk)


def test_silence_inside_a_frame_ends_the_connection_and_idling_does_not(store: Store) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        idle_reader, idle = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(oru())[:80])
        assert await reader.read() == b""
        idle.write(frame(oru()))
        assert b"MSA|AA|M1" in await idle_reader.readuntil(b"\x1c\r")
        for one in (writer, idle):
            one.close()

    with_endpoint(Inbox(store).take, talk, Limits(frame_seconds=0.3))


def test_a_message_that_is_too_long_ends_the_connection(store: Store) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x0b" + oru().encode() + b"x" * 5000)
        assert await reader.read() == b""
        writer.close()

    with_endpoint(Inbox(store).take, talk, Limits(message_bytes=2000))


def test_a_thousand_idle_connections_do_not_hinder_one_that_speaks(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("this machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    opened = open_store(tmp_path / "x.sqlite", clock=Clock())

    async def talk(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1000)]
        assert await exchange(port, frame(oru()), answers=1) == ["MSA|AA|M1"]
        for _, writer in idle:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in idle), return_exceptions=True)

    with_endpoint(Inbox(opened).take, talk)
    opened.close()


def test_connections_share_commits(store: Store) -> None:
    sizes: list[int] = []
    inbox = Inbox(store)

    def take(batch: Sequence[Incoming]) -> list[Verdict]:
        sizes.append(len(batch))
        time.sleep(0.05)
        return inbox.take(batch)

    async def talk(port: int) -> None:
        each = [exchange(port, frame(oru(control=f"M{n}")), answers=1) for n in range(40)]
        assert await asyncio.gather(*each) == [[f"MSA|AA|M{n}"] for n in range(40)]

    with_endpoint(take, talk)
    assert sum(sizes) == 40
    assert len(sizes) < 20


def test_nothing_is_acknowledged_before_it_is_committed(store: Store) -> None:
    held, inbox = threading.Event(), Inbox(store)

    def take(batch: Sequence[Incoming]) -> list[Verdict]:
        held.wait(30)
        return inbox.take(batch)

    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(oru()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        held.set()
        assert b"MSA|AA|M1" in await reader.readuntil(b"\x1c\r")
        writer.close()

    with_endpoint(take, talk)


def test_a_stop_still_answers_what_is_being_committed(store: Store) -> None:
    begun, inbox = threading.Event(), Inbox(store)

    def take(batch: Sequence[Incoming]) -> list[Verdict]:
        begun.set()
        time.sleep(0.3)
        return inbox.take(batch)

    async def run() -> bytes:
        endpoint = Endpoint(take)
        await endpoint.__aenter__()
        _, port = await endpoint.listen("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(oru()))
        await asyncio.to_thread(begun.wait, 30)
        await endpoint.close()
        found = await reader.read()
        writer.close()
        return found

    assert b"MSA|AA|M1" in asyncio.run(run())


def test_a_fault_of_our_own_is_answered_with_try_again() -> None:
    def take(_: Sequence[Incoming]) -> list[Verdict]:
        raise ZeroDivisionError("Roe^Jane")

    async def talk(port: int) -> None:
        assert await exchange(port, frame(oru()), frame(oru()), answers=2) == ["MSA|AE|M1"] * 2

    with_endpoint(take, talk)


def test_a_store_that_goes_down_and_comes_up_loses_nothing(store: Store) -> None:
    """Down for every third batch: the sender repeats what was answered with AE until it is taken."""
    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    calls = {"n": 0}

    @event.listens_for(store.engine, "before_cursor_execute")
    def _fail(_: object, __: object, statement: str, *___: object) -> None:
        if statement.lstrip().startswith("INSERT INTO message "):
            calls["n"] += 1
            if calls["n"] % 3 == 0:
                raise OperationalError(statement, {}, Exception("gone"))

    seen = {"AE": 0}

    async def talk(port: int) -> None:
        for number in range(12):
            text = frame(oru(control=f"M{number}"))
            while (got := await exchange(port, text, answers=1)) != [f"MSA|AA|M{number}"]:
                assert got == [f"MSA|AE|M{number}"]
                seen["AE"] += 1

    with_endpoint(Inbox(store).take, talk)
    assert seen["AE"] > 0
    with store.read() as connection:
        ids = connection.execute(select(tables.message.c.control_id).order_by(tables.message.c.id)).scalars().all()
    assert ids == [f"M{number}" for number in range(12)]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_a_database_that_is_gone_is_told_and_what_is_sent_again_is_stored_once(store: Store, address: str) -> None:
    """The connections are cut and none is let in, while messages are on their way."""

    async def talk(port: int) -> None:
        assert await exchange(port, frame(oru(control="M0")), answers=1) == ["MSA|AA|M0"]
        with outage(address):
            for number in range(3):
                assert await exchange(port, frame(oru(control=f"M{number}")), answers=1) == [f"MSA|AE|M{number}"]
            with pytest.raises(StoreDown):
                grade(store)
        for number in range(3):
            assert await exchange(port, frame(oru(control=f"M{number}")), answers=1) == [f"MSA|AA|M{number}"]

    with_endpoint(Inbox(store).take, talk)
    with store.read() as connection:
        ids = connection.execute(select(tables.message.c.control_id).order_by(tables.message.c.id)).scalars().all()
    assert ids == ["M0", "M1", "M2"]
    assert grade(store).assessments == 1
    assert audit.verify(store).sound


# ---- the process ----------------------------------------------------------------------------------------------------


def stream(address: str, messages: Sequence[str], kills: Sequence[int]) -> set[str]:
    """Send messages, kill the service at the given ones while it works; every one is sent until it is acknowledged."""
    acknowledged: set[str] = set()
    pause = random.Random(1)  # noqa: S311 (moments of a test)
    at, waiting = 0, list(kills)
    while at < len(messages):
        with service(address, "--no-grading") as running:
            sender = Sender(running.port)
            try:
                while at < len(messages):
                    if waiting and at >= waiting[0]:
                        waiting.pop(0)
                        sender.send(messages[at])  # the plug is pulled with this one on the way
                        time.sleep(pause.random() * 0.02)
                        running.kill()
                    code, control = sender.ask(messages[at])
                    assert code == "AA"
                    acknowledged.add(control)
                    at += 1
            except (ConnectionError, OSError):
                continue  # restarted by the loop; what was not acknowledged is sent again
            finally:
                sender.close()
    return acknowledged


def test_nothing_acknowledged_is_lost_or_doubled_by_kills(address: str) -> None:
    chance = random.Random(20260111)  # noqa: S311 (moments of a test)
    messages = [cbc(number, results=5, person=number % 7) for number in range(40)]
    acknowledged = stream(address, messages, sorted(chance.sample(range(1, 39), 3)))
    assert len(acknowledged) == 40
    opened = open_store(address)
    with opened.read() as connection:
        ids = connection.execute(select(tables.message.c.control_id)).scalars().all()
    assert sorted(ids) == sorted(acknowledged)
    assert audit.verify(opened).sound
    done = grade(opened)
    assert (done.people, done.failed) == (7, 0)
    opened.close()


def test_the_service_grades_what_it_stored_and_ends_orderly(tmp_path: Path) -> None:
    where = tmp_path / "x.sqlite"
    with service(where) as running:
        sender = Sender(running.port)
        assert sender.ask(oru("0.4")) == ("AA", "M1")
        opened = open_store(where)
        until = time.monotonic() + 60
        found = None
        while found is None and time.monotonic() < until:
            time.sleep(0.2)
            with opened.read() as connection:
                found = kept.latest_assessment(connection, "4711^HOSP")
        assert found is not None
        opened.close()
        sender.close()
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--mllp", "nowhere"], "HOST:PORT"),
        (["--mllp", "0.0.0.0:2575"], "no certificate"),
        (["--mllp", "127.0.0.1:2575", "--tls-certificate", __file__], "certificate or key"),
        (["--mllp", "127.0.0.1:2575", "--tls-key", __file__], "and no certificate"),
        (["--mllp", "127.0.0.1:2575", "--tls-clients", __file__], "and no certificate"),
    ],
)
def test_unsafe_or_wrong_settings_are_explained(
    words: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--store", str(tmp_path / "x"), *words]) == 2
    assert why in capsys.readouterr().err


def test_an_address_in_use_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--no-grading", "--store", str(tmp_path / "x"), "--mllp", f"127.0.0.1:{port}"]) == 2
    assert "cannot listen" in capsys.readouterr().err


def test_the_network_needs_tls_or_a_word() -> None:
    with pytest.raises(UsageError):
        tls_of(MllpSettings(host="10.0.0.5", port=1))
    assert tls_of(MllpSettings(host="10.0.0.5", port=1, network_without_tls=True)) is None
    for loopback in ("127.0.0.1", "localhost", "::1"):
        assert tls_of(MllpSettings(host=loopback, port=1)) is None


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of this test for localhost, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    made, key = tmp_path / "c.pem", tmp_path / "k.pem"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *words, "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    return made, key


def test_tls_is_spoken_and_senders_without_a_known_certificate_are_refused(
    store: Store, certificate: tuple[Path, Path]
) -> None:
    made, key = certificate
    tls = tls_of(MllpSettings(host="0.0.0.0", port=0, certificate=made, key=key, client_authority=made))  # noqa: S104
    assert tls is not None
    known = ssl.create_default_context(cafile=str(made))
    stranger = ssl.create_default_context(cafile=str(made))
    known.load_cert_chain(made, key)

    async def ask(port: int, control: str, context: ssl.SSLContext) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        try:
            writer.write(frame(oru(control=control)))
            return await reader.readuntil(b"\x1c\r")
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    async def run() -> None:
        async with Endpoint(Inbox(store).take) as endpoint:
            _, port = await endpoint.listen("127.0.0.1", 0, tls=tls)
            assert b"MSA|AA|M1" in await ask(port, "M1", known)
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await ask(port, "M2", stranger)

    asyncio.run(asyncio.wait_for(run(), 60))
    with store.read() as connection:
        assert connection.execute(select(tables.message.c.control_id)).scalars().all() == ["M1"]
