"""MLLP: HL7 v2 messages over TCP, each between <VT> and <FS><CR>, each answered after it was committed.

Messages of all connections that arrive while a commit runs go into the next one together: a durable commit costs a
wait for the disk, and many messages share it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Literal

from leuko.intake.hl7.wire import END, START
from leuko.service.acknowledge import acknowledgement
from leuko.service.inbox import Incoming, Verdict

Take = Callable[[Sequence[Incoming]], list[Verdict]]
_READ: Final = 1 << 16  # bytes a read
_LAST_SECONDS: Final = 10.0  # how long a stop waits for the commit that it interrupts
_LOG: Final = logging.getLogger(__name__)


class TooLong(Exception):  # noqa: N818 (named for what it says)
    """A frame is longer than the limit."""


@dataclass(slots=True)
class Framer:
    """Takes frames out of a stream, whatever pieces it arrives in. Nothing is read from a frame that breaks off.

    `torn` counts frames that another one interrupted, `junk` bytes between frames.
    """

    limit: int
    torn: int = 0
    junk: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _inside: bool = False
    _seen: int = 0

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._inside

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that end in these bytes. Raises TooLong."""
        self._buffer += data
        while True:
            if not self._inside and not self._begin():
                return
            end = self._buffer.find(END, self._seen)
            again = self._buffer.find(b"\x0bMSH", max(self._seen - 3, 0), end if end >= 0 else len(self._buffer))
            if again >= 0:  # a frame inside a frame: the first one was interrupted
                self.torn += 1
                del self._buffer[: again + 1]
                self._seen = 0
                continue
            if end < 0:
                self._seen = len(self._buffer)
                if self._seen > self.limit:
                    raise TooLong
                return
            message = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._inside, self._seen = False, 0
            yield message

    def _begin(self) -> bool:
        start = self._buffer.find(START)
        before = self._buffer if start < 0 else self._buffer[:start]
        self.junk += sum(byte not in b"\r\n \0" for byte in before)
        del self._buffer[: len(self._buffer) if start < 0 else start + 1]
        self._inside = start >= 0
        return self._inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sender may ask of the service: bytes a message, seconds of silence inside one, messages a commit."""

    message_bytes: int = 64 << 20
    frame_seconds: float = 60.0
    batch: int = 256


class Committer:
    """Gathers messages of all connections, and takes them in together, one batch after the other."""

    def __init__(self, take: Take, *, batch: int = 256) -> None:
        self._take, self._batch = take, batch
        self._queue: asyncio.Queue[tuple[Incoming, asyncio.Future[Verdict]]] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leuko-commit")

    def submit(self, incoming: Incoming) -> asyncio.Future[Verdict]:
        """The verdict on a message, once it is settled."""
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((incoming, future))
        return future

    async def run(self) -> None:
        """Take batches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            waiting = [await self._queue.get()]
            while len(waiting) < self._batch and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            verdicts = await loop.run_in_executor(self._thread, self._safely, [one for one, _ in waiting])
            for (_, future), verdict in zip(waiting, verdicts, strict=True):
                if not future.done():  # the sender may be gone; the message is stored all the same
                    future.set_result(verdict)

    def _safely(self, batch: list[Incoming]) -> list[Verdict]:
        """A fault of our own is told to the senders as one to be tried again; nothing was acknowledged."""
        try:
            verdicts = self._take(batch)
        except Exception as error:  # noqa: BLE001 (the endpoint must outlive any single fault)
            _LOG.error("a batch could not be taken: %s", type(error).__name__)
            return [Verdict(code="AE", text="a fault inside leuko: nothing was stored") for _ in batch]
        for one, verdict in zip(batch, verdicts, strict=True):
            if verdict.code != "AA":
                _LOG.warning(
                    "%s to a message of %s: %s", verdict.code, one.source, verdict.reason or "the store is down"
                )
        return verdicts

    def close(self) -> None:
        """End the thread, after the batch that it is at."""
        self._thread.shutdown(wait=True)


class Endpoint:
    """A listening MLLP endpoint: `async with Endpoint(take) as endpoint: await endpoint.listen(host, port)`."""

    def __init__(self, take: Take, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._committer = Committer(take, batch=self.limits.batch)
        self._task: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Endpoint:
        self._task = asyncio.create_task(self._committer.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def listen(self, host: str, port: int, *, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Begin to listen; gives the address (port 0 chooses one)."""
        self._server = await asyncio.start_server(self._connected, host, port, ssl=tls, backlog=1024)
        name = self._server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def close(self) -> None:
        """Stop: no new connection, no new message; what is being committed is still answered."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._committer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (asyncio runs this in a task)
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
            pass  # the sender is gone, or we stop: what was not acknowledged will be sent again
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        framer = Framer(self.limits.message_bytes)
        source = _peer(writer)
        while True:
            if framer.waiting:
                async with asyncio.timeout(self.limits.frame_seconds):
                    data = await reader.read(_READ)
            else:
                data = await reader.read(_READ)
            if not data:
                return
            torn = framer.torn
            try:
                waiting = [(raw, self._committer.submit(Incoming(raw=raw, source=source))) for raw in framer.feed(data)]
            except TooLong:
                _LOG.warning("a message of %s is longer than %d bytes", source, self.limits.message_bytes)
                return
            if framer.torn > torn:
                _LOG.warning("%d frames of %s were interrupted by another one", framer.torn - torn, source)
            if waiting:
                await self._answered(asyncio.ensure_future(self._answer(writer, waiting)))

    @staticmethod
    async def _answered(answer: asyncio.Future[None]) -> None:
        """Wait for the answer, also where the endpoint is told to stop meanwhile: what was stored is acknowledged."""
        try:
            await asyncio.shield(answer)
        except asyncio.CancelledError:
            await asyncio.wait([answer], timeout=_LAST_SECONDS)
            raise

    @staticmethod
    async def _answer(writer: asyncio.StreamWriter, waiting: list[tuple[bytes, asyncio.Future[Verdict]]]) -> None:
        for raw, future in waiting:
            answer = acknowledgement(raw, await future)
            if answer is not None:
                writer.write(answer)
        await writer.drain()


def _peer(writer: asyncio.StreamWriter) -> str:
    """The sender's address, as far as it tells machines apart; no port, which is another one each time."""
    name = writer.get_extra_info("peername")
    return f"mllp {name[0]}" if isinstance(name, tuple) else "mllp"


# ---- addresses ------------------------------------------------------------------------------------------------------

Reach = Literal["loopback", "network"]


def reach_of(host: str) -> Reach:
    """Whether an address can be reached from this machine only."""
    loopback = host in {"localhost", "::1"} or host.startswith("127.")
    return "loopback" if loopback else "network"
