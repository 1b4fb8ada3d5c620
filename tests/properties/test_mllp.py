"""A stream of frames is the same messages however the network cuts it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.hl7 import frame, oru
from leuko.service.inbox import Inbox
from leuko.service.mllp import Endpoint, Framer, Limits, TooLong
from leuko.service.store import open_store

BODY = st.binary(max_size=40).map(lambda data: b"MSH" + data.replace(b"\x0b", b"").replace(b"\x1c", b""))


@settings(max_examples=200, deadline=None)
@given(st.lists(BODY, max_size=5), st.lists(st.integers(1, 30), max_size=30))
def test_cuts_change_nothing(bodies: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(b"\x0b" + body + b"\x1c\r" for body in bodies)
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(whole[at : at + cut])
        at += cut
    framer = Framer(1 << 20)
    assert [found for piece in [*pieces, whole[at:]] for found in framer.feed(piece)] == bodies
    assert (framer.torn, framer.junk, framer.waiting) == (0, 0, False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_leave_the_framer_sound(pieces: list[bytes]) -> None:
    """After whatever came, a whole frame is found; one that never ended is at most dropped."""
    framer = Framer(200)
    try:
        for piece in pieces:
            list(framer.feed(piece))
    except TooLong:
        return
    assert list(framer.feed(b"\x0bMSH|^~\\&|\x1c\r"))[-1] == b"MSH|^~\\&|"


JUNK = st.binary(max_size=20).map(lambda data: data.replace(b"\x0b", b""))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(JUNK, st.none() | st.integers(1, 30), BODY), max_size=5),
    st.lists(st.integers(1, 30), max_size=30),
)
def test_junk_and_broken_frames_between_messages_cost_no_message(
    parts: list[tuple[bytes, int | None, bytes]], cuts: list[int]
) -> None:
    """Before each message junk, or the beginning of one that was never finished."""
    whole = b""
    for junk, broken, body in parts:
        whole += junk if broken is None else b"\x0bMSH" + b"x" * broken
        whole += b"\x0b" + body + b"\x1c\r"
    framer, found, at = Framer(1 << 20), list[bytes](), 0
    for cut in [*cuts, len(whole)]:
        found += framer.feed(whole[at : at + cut])
        at += cut
    assert found == [body for *_, body in parts]
    assert framer.torn == sum(broken is not None for _, broken, _ in parts)
    assert framer.junk == sum(
        sum(byte not in b"\r\n \0" for byte in junk) for junk, broken, _ in parts if broken is None
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=80), st.just(frame(oru())), st.just(frame("MSH||"))), max_size=6))
def test_whatever_one_sender_sends_another_is_answered(tmp_path: Path, pieces: list[bytes]) -> None:
    store = open_store(tmp_path / "x.sqlite")

    async def run() -> bytes:
        async with Endpoint(Inbox(store).take, limits=Limits(message_bytes=4096)) as endpoint:
            _, port = await endpoint.listen("127.0.0.1", 0)
            _, wild = await asyncio.open_connection("127.0.0.1", port)
            for piece in pieces:
                wild.write(piece)
            reader, sound = await asyncio.open_connection("127.0.0.1", port)
            sound.write(frame(oru()))
            answer = await reader.readuntil(b"\x1c\r")
            for one in (wild, sound):
                one.close()
            return answer

    assert b"MSA|AA|M1" in asyncio.run(asyncio.wait_for(run(), 60))
    store.close()
