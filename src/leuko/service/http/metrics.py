"""Numbers for Prometheus, and a line in the log for each request: routes, codes and times, never an address or a name.

A route is told by its template (`/people/{person}`): the path itself may name a person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Final

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leuko.service.http.context import Context
from leuko.service.http.guard.who import needs
from leuko.service.http.probes import every, is_monitor
from leuko.service.roles import Role
from leuko.service.store import StoreDown
from leuko.service.store.card_tables import card
from leuko.service.store.tables import assessment, audit, dead, dead_event, message, reading

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SETTLED: Final = ("let-in", "dismissed")
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
_LOG: Final = logging.getLogger(__name__)


class Numbers:
    """The registry of one app, and what is counted at each request."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = ["route", "method", "status"]
        self.requests = Counter("leuko_http_requests", "Requests answered.", names, registry=self.registry)
        self.seconds = Histogram(
            "leuko_http_request_seconds",
            "Time to the end of the answer.",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def watch(self, given: Context) -> None:
        """Also tell what the store and the process say when the numbers are asked for."""
        self.registry.register(_Service(given))


class Observed:
    """Counts each request, and writes its line into the log."""

    def __init__(self, app: ASGIApp, *, numbers: Numbers) -> None:
        self.app, self.numbers = app, numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, start = 499, time.perf_counter()  # 499: the client went away before it was answered

        async def seen(answer: Message) -> None:
            nonlocal status
            if answer["type"] == "http.response.start":
                status = answer["status"]
            await send(answer)

        try:
            await self.app(scope, receive, seen)
        except Exception:
            status = 500  # the layer above makes it that
            raise
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.numbers.requests.labels(route, method, str(status)).inc()
        self.numbers.seconds.labels(route).observe(seconds)
        number = scope.get("state", {}).get("number", "")
        fields = {"request": number, "method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        level = logging.DEBUG if route in {"/health", "/ready", "/metrics"} and status < 500 else logging.INFO
        _LOG.log(level, "%s %s %d %s", method, route, status, number, extra={"fields": fields})


class _Service(Collector):
    """What can be asked of the store and of the process; a store that is down has no other numbers."""

    def __init__(self, given: Context) -> None:
        self.given = given

    def describe(self) -> Iterable[Metric]:
        """Nothing is collected when the collector is registered: that would ask the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The numbers of now."""
        checks = GaugeMetricFamily(
            "leuko_ready", "Whether what the service needs holds (1) or not (0).", labels=["check"]
        )
        for check in every(self.given):
            checks.add_metric([check.name], float(check.holds))
        yield checks
        try:
            with self.given.store.read() as connection:
                found = list(_stored(connection))
        except StoreDown:
            return
        yield from found


def _stored(connection: Connection) -> Iterator[Metric]:
    """The tables number their rows without gaps, so that the last number is how many there are."""
    counted = (
        ("leuko_messages_stored", "HL7 v2 messages stored.", message),
        ("leuko_messages_put_aside", "HL7 v2 messages put aside for a person to look at.", dead),
        ("leuko_assessments", "Assessments made.", assessment),
        ("leuko_audit_rows", "Rows of the audit.", audit),
    )
    last: dict[str, int] = {}
    for name, text, table in counted:
        last[name] = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
        yield CounterMetricFamily(name, text, value=last[name])
    cards = connection.execute(select(func.count()).select_from(card)).scalar_one()
    yield CounterMetricFamily("leuko_cards", "Cards issued to EHRs.", value=cards)
    through = connection.execute(select(func.coalesce(func.max(reading.c.through), 0))).scalar_one()
    waiting = max(0, last["leuko_messages_stored"] - through)
    yield GaugeMetricFamily("leuko_messages_ungraded", "Messages stored and not graded yet.", value=waiting)
    settled = select(dead_event.c.dead_id).where(dead_event.c.kind.in_(_SETTLED))
    left = select(func.count()).select_from(dead).where(dead.c.id.not_in(settled))
    aside = connection.execute(left).scalar_one()
    yield GaugeMetricFamily("leuko_messages_waiting_for_a_person", "Messages aside that nobody settled.", value=aside)


def router(numbers: Numbers) -> APIRouter:
    """/metrics."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/metrics", response_model=None, dependencies=[Depends(_may_read)])
    def metrics() -> Response:
        """The numbers, in the form of Prometheus."""
        return Response(generate_latest(numbers.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _may_read(request: Request) -> None:
    """Monitors by their address, others as admin."""
    if not is_monitor(request):
        await needs(Role.ADMIN)(request)
