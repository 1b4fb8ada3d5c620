"""The stream that tells open worklists of news: what it says, when it ends, and how many may listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from fixtures.http import asked, log_in
from leuko.service.roles import Role
from leuko.service.store import StoreDown, open_store
from leuko.web import news as stream
from leuko.web import router
from leuko.web.news import News

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Room:
    """A store whose mark the test sets, a clock that it moves, and a service that it ends."""

    def __init__(self) -> None:
        self.mark, self.asked, self.down, self.over, self.inside, self.at = "1-a", 0, False, False, True, 0.0
        self.news = News(self._ask, look=0.01)

    def _ask(self) -> str:
        self.asked += 1
        if self.down:
            raise StoreDown("down")
        return self.mark

    def listen(self, seen: str = "1-a", login: str = "anna") -> AsyncIterator[bytes]:
        async def still_in() -> bool:
            return self.inside

        return self.news.events(login, seen, ends=lambda: self.over, still_in=still_in, now=lambda: self.at)


async def _next(events: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(events), 5)


def test_news_is_told_once_and_holds_nothing_of_anybody():
    async def told() -> list[bytes]:
        room = Room()
        events = room.listen()
        found = [await _next(events)]
        await asyncio.sleep(0.1)
        room.mark = "2-a"
        found.append(await _next(events))
        room.down = True  # a store that is down has no news, and ends nothing
        await asyncio.sleep(0.1)
        room.down, room.mark = False, "3-a"
        found.append(await _next(events))
        room.over = True
        found += [each async for each in events]
        assert room.news.open == 0
        return found

    assert asyncio.run(told()) == [
        b": listening\n\n",
        b"event: news\ndata: 2-a\n\n",
        b"event: news\ndata: 3-a\n\n",
    ]


def test_who_comes_late_is_told_at_once_and_a_quiet_stream_says_that_it_is_there():
    async def told() -> list[bytes]:
        room = Room()
        events = room.listen(seen="0-a")
        found = [await _next(events), await _next(events)]
        room.at += stream.SIGN
        found.append(await _next(events))
        await events.aclose()
        assert room.news.open == 0
        return found

    assert asyncio.run(told())[1:] == [b"event: news\ndata: 1-a\n\n", b": nothing new\n\n"]


def test_a_stream_ends_with_its_login():
    async def told() -> None:
        room = Room()
        events = room.listen()
        await _next(events)
        room.inside = False
        room.at += stream.CHECK - stream.SIGN
        assert await _next(events) == b": nothing new\n\n", "looked at only now and then"
        room.at += stream.SIGN
        left = [each async for each in events]
        assert left in ([], [b": nothing new\n\n"])

    asyncio.run(told())


def test_there_is_room_for_so_many_and_the_store_is_asked_only_while_somebody_listens():
    async def told() -> None:
        room = Room()
        open_ = [room.listen() for _ in range(stream.MOST_EACH)]
        for events in open_:
            await _next(events)
        assert not room.news.may_listen("anna")
        assert room.news.may_listen("bert")
        for events in open_:
            await events.aclose()
        assert room.news.may_listen("anna")
        await asyncio.sleep(0.1)
        before = room.asked
        await asyncio.sleep(0.1)
        assert room.asked == before
        everyone = [room.listen(login=str(number)) for number in range(stream.MOST)]
        for events in everyone:
            await _next(events)
        assert not room.news.may_listen("bert")
        for events in everyone:
            await events.aclose()

    asyncio.run(told())


@pytest.fixture
def client(tmp_path):
    store = open_store(tmp_path / "store.sqlite", clock=lambda: NOW)
    with asked(store, [router()]) as found:
        yield found
    store.close()


def test_only_who_is_logged_in_listens_and_no_stream_keeps_a_login_alive(client):
    by_itself = {"X-Leuko-By-Itself": "1"}
    assert client.get("/worklist/stream", headers=by_itself).status_code in {303, 401}
    log_in(client, Role.VIEWER)
    assert client.get("/worklist/stream").status_code == 400
    client.app.state.context.stopping.set()
    refused = client.get("/worklist/stream", headers=by_itself)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
