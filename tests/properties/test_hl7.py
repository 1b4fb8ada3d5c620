"""Whatever bytes come in, the HL7 reader answers; and neither order nor repetition of messages changes a record."""

from __future__ import annotations

import random
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.hl7 import frame, message, msh, obr, obx, oru, pid, read
from leuko.errors import UnreadableInput
from leuko.intake import Blob, hl7
from leuko.intake.hl7.wire import pieces

MARKS = '|^~\\&\r\n\x0b\x1c"#.-+<>0159 '
WORDS = ["MSH", "PID", "OBR", "OBX", "SPM", "RXA", "RXC", "DG1", "ADD", "NM", "SN", "ED", "751-8", "10*9/L", '""']
TEXT = st.lists(st.one_of(st.sampled_from(MARKS), st.sampled_from(WORDS), st.characters(codec="utf-8")), max_size=60)
FIELD = st.one_of(st.sampled_from([*WORDS, "20260110", "0.8", "F", "C", "W"]), st.text(MARKS[:5] + "ab1", max_size=8))
SEGMENT = st.builds(
    lambda name, fields: "|".join([name, *fields]), st.sampled_from(WORDS[:9]), st.lists(FIELD, max_size=25)
)


def quietly(data: bytes) -> None:
    with suppress(UnreadableInput):
        read(data)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_any_text_after_a_header_is_answered(parts: list[str]) -> None:
    quietly((msh() + "\r" + "".join(parts)).encode())


@settings(max_examples=300, deadline=None)
@given(st.lists(SEGMENT, max_size=12))
def test_any_segments_are_answered(segments: list[str]) -> None:
    quietly(message(msh(), pid(), *segments).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "MSH", "MSH|^~\\&|", "\x0bMSH|^~\\&|a|b|c|d|2026||ORU|1|P|2|"]))
def test_any_bytes_are_answered(data: bytes, head: str) -> None:
    whole = head.encode() + data
    assert hl7.claims(Blob(name="x", data=whole)) in {True, False}
    quietly(whole)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_message_that_is_damaged_anywhere_is_answered(data: st.DataObject) -> None:
    whole = bytearray(message(msh(), pid(), obr(), obx(), obx("<^0.1", kind="SN")).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    quietly(bytes(whole))


SENT = st.tuples(
    st.sampled_from(["0.4", "0.8", "3.8", "", '""', "<0.1"]),
    st.sampled_from("FFPPCCAADWXUZ"),
    st.integers(0, 5),
    st.sampled_from(["F1", "F2", ""]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_messages_changes_nothing(sent: list[tuple[str, str, int, str]], chance: random.Random) -> None:
    texts = [
        message(msh(f"M{number}", sent=f"20260110090{minute}00"), pid(), obr(order), obx(value, status=status))
        for number, (value, status, minute, order) in enumerate(sent)
    ]
    shuffled = texts[:]
    chance.shuffle(shuffled)
    once = read("".join(texts)).records
    again = read("".join([*shuffled, *texts[:2]])).records
    assert [record.digest for record in once] == [record.digest for record in again]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.booleans())
def test_framing_and_joining_of_messages_changes_nothing(values: list[int], framed: bool) -> None:
    texts = [oru(f"0.{value}", control=f"M{number}") for number, value in enumerate(values)]
    data = b"".join(frame(text) if framed else text.encode() for text in texts)
    assert [piece.data.strip() for piece in pieces(data)] == [text.encode().strip() for text in texts]
