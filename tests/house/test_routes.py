"""Every route of the service asks who comes, or stands in the short list of those that need not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.routing import iter_route_contexts

from leuko.cli.serve import routers
from leuko.service.http.app import create_app
from leuko.service.http.settings import HttpSettings
from leuko.service.store import open_store

# What anyone may read or do: it holds nothing of a person, or asks by itself who comes.
OPEN = {
    "/openapi.json",
    "/health",
    "/ready",
    "/metrics",  # asks for a monitor's address or an admin
    "/login",
    "/guard.css",
    "/static/{name}",
    "/fhir/metadata",
    "/fhir/OperationDefinition/leuko-assess",
    "/cds-services",  # these hold the EHR's token of each call against the EHRs of the settings
    "/cds-services/{service}",
    "/cds-services/{service}/feedback",
}


def asked(dependant: Any) -> Iterator[str]:
    for one in getattr(dependant, "dependencies", ()):
        yield getattr(one.call, "__qualname__", "")
        yield from asked(one)


def test_every_route_asks_who_comes(tmp_path: Path) -> None:
    settings = HttpSettings(parts={"hooks": {"base_url": "https://leuko.example"}})
    store = open_store(tmp_path / "store.sqlite")
    app = create_app(settings, store=store, routers=routers(settings))
    routes = list(iter_route_contexts(app.routes))
    unguarded = {
        str(route.path) for route in routes if "needs.<locals>.guard" not in asked(getattr(route, "dependant", None))
    }
    store.close()
    assert unguarded == OPEN
    assert len(routes) > len(OPEN) + 10
