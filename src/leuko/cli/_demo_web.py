"""`leuko demo --web`: the pages of the service over a store of invented people, on this machine alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from leuko.cli._notices import say
from leuko.cli._store import need_service

if TYPE_CHECKING:
    from fastapi import FastAPI

    from leuko.service.serve import Running


def run(port: int) -> None:
    """Fill a store in a folder of its own, print the link that signs its first reader in, and serve until Ctrl-C."""
    need_service()
    from leuko.service.http.app import create_app  # noqa: PLC0415 (loads the service)
    from leuko.service.http.settings import HttpSettings  # noqa: PLC0415
    from leuko.service.serve import Settings, serve  # noqa: PLC0415
    from leuko.service.store import open_store  # noqa: PLC0415
    from leuko.web import router  # noqa: PLC0415
    from leuko.web.demo import ENTER, Door, fill  # noqa: PLC0415

    with TemporaryDirectory(prefix="leuko-demo-") as folder:
        where = str(Path(folder) / "demo.sqlite")
        say("preparing invented people in a store of their own …")
        store = open_store(where)
        number = fill(store, now=datetime.now(UTC))
        store.close()
        door, http = Door(), HttpSettings(host="127.0.0.1", port=port)

        def make_app(running: Running) -> FastAPI:
            return create_app(http, store=running.store, routers=[router(), door.router()], stopping=running.stopping)

        def told(words: str) -> None:
            """The address is known only when it listens."""
            _, at, address = words.rpartition(" on ")
            if at and words.startswith("listening for HTTP"):
                click.echo(f"\n  http://{address}{ENTER}{door.key}\n")
                say(f"{number} invented people. The link signs you in once; Ctrl-C ends it, and the store is gone.")
            else:
                say(words)

        settings = Settings(store=where, mllp=None, http=http, grading=False)
        asyncio.run(serve(settings, make_app=make_app, say=told))
