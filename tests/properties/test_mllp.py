"""A stream of frames is the same messages however the network cuts it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from leuko.service.mllp import Framer, TooLong

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
