"""Whatever arrives is answered with a verdict and an acknowledgement that names it, and stored at most once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fixtures.hl7 import message, msh, obr, obx, oru, pid
from leuko.service.acknowledge import acknowledgement
from leuko.service.inbox import Inbox, Incoming
from leuko.service.store import Store, open_store, tables

WHOLE = message(msh(), pid(), obr(), obx()).encode()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(tmp_path_factory.mktemp("inbox") / Path("x.sqlite"))
    yield store
    store.close()


def damaged(spots: list[tuple[int, int]]) -> bytes:
    data = bytearray(WHOLE)
    for at, byte in spots:
        data[at % len(data)] = byte
    return bytes(data)


ANY = st.one_of(
    st.binary(max_size=80),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5).map(damaged),
    st.binary(max_size=60).map(lambda data: WHOLE + data),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANY, min_size=1, max_size=4))
def test_anything_is_answered(opened: Store, raws: list[bytes]) -> None:
    inbox = Inbox(opened)
    before = _stored(opened)
    verdicts = inbox.take([Incoming(raw=raw, source="fuzz") for raw in raws])
    assert _stored(opened) - before == sum(verdict.new for verdict in verdicts)
    for raw, verdict in zip(raws, verdicts, strict=True):
        assert verdict.code in {"AA", "AR"}
        answer = acknowledgement(raw, verdict)
        assert answer is None or (answer[:4] == b"\x0bMSH" and b"\rMSA" in answer and answer.endswith(b"\x1c\r"))
    again = inbox.take([Incoming(raw=raw, source="fuzz") for raw in raws])
    assert not any(verdict.new for verdict in again)


def _stored(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(tables.message)).scalar_one())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_a_flood_of_duplicates_is_each_message_once(tmp_path: Path, numbers: list[int]) -> None:
    store = open_store(tmp_path / f"{abs(hash(tuple(numbers)))}.sqlite")
    raws = [oru(control=f"M{number}").encode() for number in numbers]
    inbox = Inbox(store)
    for raw in raws:
        assert inbox.take([Incoming(raw=raw, source="x")])[0].code == "AA"
    assert _stored(store) == len(set(numbers))
    store.close()
