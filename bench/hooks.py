"""How long a CDS Hooks call takes: patient-view with prefetch, without and with a forecast, over HTTP, one process.

    python bench/hooks.py                    print the table
    python bench/hooks.py --write            put it into docs/reference/service.md
    python bench/hooks.py --calls 300

The service runs as `leuko serve` on SQLite with durable commits; every call has a token of its own, signed with ES384. Each
call is of the shipped example person (68 results, medicines, a condition), moved to today, with values of its own, so
that nothing of an earlier call can be used, unless the row says so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

HERE = Path(__file__).parents[1]
EXAMPLE = HERE / "src" / "leuko" / "data" / "examples" / "adult-on-docetaxel.json"
PAGE = HERE / "docs" / "reference" / "service.md"
MARKS = ("<!-- bench/hooks.py writes from here -->", "<!-- to here -->")
TICKS = os.sysconf("SC_CLK_TCK")
LAST = date(2026, 3, 9)  # the last count of the example
ISSUER = "https://bench.example/"
Json = dict[str, Any]


class Service:
    """`leuko serve` with CDS Hooks, on a free port of this machine."""

    def __init__(self, folder: Path, *, forecasts: bool) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.key = ec.generate_private_key(ec.SECP384R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        keys = folder / "keys.json"
        keys.write_text(json.dumps({"keys": [public | {"kid": "bench", "use": "sig", "alg": "ES384"}]}), "utf-8")
        settings = folder / "leuko.toml"
        settings.write_text(
            f'store = "{folder / "store.sqlite"}"\ngrading = false\n'
            f'[http]\nlisten = "127.0.0.1:{port}"\n[http.limits]\nrequests_per_minute = 0.0\n'
            f'[hooks]\nbase_url = "{self.base}"\nforecasts = {str(forecasts).lower()}\n'
            f'[[hooks.ehr]]\nissuer = "{ISSUER}"\nkeys = "{keys}"\n',
            "utf-8",
        )
        command = [sys.executable, "-m", "leuko", "serve", "--settings", str(settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # a connection of its own for each call: one that idled may just be closed by the service
        self.client = httpx.Client(base_url=self.base, timeout=60.0, limits=httpx.Limits(max_keepalive_connections=0))
        for _ in range(600):
            try:
                if self.client.get("/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise SystemExit("the service did not start")

    def ask(self, service: str, body: Json) -> tuple[float, list[Json]]:
        """Seconds until the answer, and the cards."""
        path, now = f"/cds-services/{service}", int(time.time())
        claims = {"iss": ISSUER, "aud": f"{self.base}{path}", "iat": now, "exp": now + 300, "jti": str(uuid.uuid4())}
        token = jwt.encode(claims, self.key, algorithm="ES384", headers={"kid": "bench", "typ": "JWT"})
        content = json.dumps(body).encode()
        head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        start = time.perf_counter()
        answer = self.client.post(path, content=content, headers=head)
        wall = time.perf_counter() - start
        assert answer.status_code == 200, answer.text
        return wall, answer.json()["cards"]

    def used(self) -> float:
        """Seconds of user and system time of the service."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def stop(self) -> None:
        """End it, and wait until it has."""
        self.client.close()
        self.process.terminate()
        self.process.communicate(timeout=30)


def person(chance: random.Random) -> Json:
    """The example person, moved to today, under another name, each value a little other than in the file."""
    text = EXAMPLE.read_text("utf-8")
    moved = datetime.now(UTC).date() - LAST - timedelta(days=1)
    text = re.sub(
        r"(?<!\d)(20\d\d-\d\d-\d\d)(?!\d)", lambda found: (date.fromisoformat(found[1]) + moved).isoformat(), text
    )
    text = text.replace("example-adult", f"p{chance.getrandbits(64):x}")
    of: dict[str, list[Json]] = {}
    for entry in json.loads(text)["entry"]:
        of.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    for observation in of["Observation"]:
        value = observation.get("valueQuantity", {}).get("value")
        if value:
            observation["valueQuantity"]["value"] = round(value * (1 + chance.uniform(-0.01, 0.01)), 4)
    bundles = {
        name: {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in found]}
        for name, found in of.items()
    }
    return {
        "patient": of["Patient"][0],
        "counts": bundles["Observation"],
        "conditions": bundles["Condition"],
        "administrations": bundles["MedicationAdministration"],
        **dict.fromkeys(("signs", "requests", "statements")),
    }


def view(given: Json) -> Json:
    context = {"userId": "Practitioner/bench", "patientId": given["patient"]["id"]}
    return {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": given}


def signing(given: Json) -> Json:
    order = {
        "resourceType": "MedicationRequest",
        "id": "o1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "docetaxel"},
        "subject": {"reference": f"Patient/{given['patient']['id']}"},
    }
    body = view(given) | {"hook": "order-sign"}
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order}]}
    return body


def measured(service: Service, calls: int, name: str, make: Callable[[], Json]) -> list[float]:
    """The waits of calls, after a few that are not counted."""
    for _ in range(5):
        service.ask(name, make())
    return [service.ask(name, make())[0] for _ in range(calls)]


def row(title: str, walls: list[float], used: float) -> str:
    ordered = sorted(walls)
    p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return (
        f"| {title} | {len(ordered)} | {p50 * 1e3:.0f} ms | {p99 * 1e3:.0f} ms | {used / len(ordered) * 1e3:.0f} ms |"
    )


def table(calls: int) -> list[str]:
    chance = random.Random(1)  # noqa: S311 (values of a test)
    rows = ["| call | calls | p50 | p99 | processor time of the service a call |", "| --- | --- | --- | --- | --- |"]

    def timed(service: Service, title: str, name: str, make: Callable[[], Json], number: int) -> None:
        before = service.used()
        walls = measured(service, number, name, make)
        rows.append(row(title, walls, (service.used() - before) * number / (number + 5)))

    with tempfile.TemporaryDirectory(prefix="leuko-bench-") as folder:
        service = Service(Path(folder), forecasts=False)
        try:
            same = person(chance)
            timed(
                service, "patient-view, new data each time", "leuko-patient-view", lambda: view(person(chance)), calls
            )
            timed(service, "patient-view, the same data again", "leuko-patient-view", lambda: view(same), calls)
            timed(service, "order-sign, new data each time", "leuko-orders", lambda: signing(person(chance)), calls)
        finally:
            service.stop()
    with tempfile.TemporaryDirectory(prefix="leuko-bench-") as folder:
        service = Service(Path(folder), forecasts=True)
        try:
            ready, first, then = waits(service, chance, max(5, calls // 10))
            used = " | |"
            rows.append(
                row("patient-view, a forecast begun by the call and not waited for", first, 0.0).rsplit("|", 2)[0]
                + used[1:]
            )
            rows.append(row("patient-view, with the forecast that is ready", then, 0.0).rsplit("|", 2)[0] + used[1:])
            rows.append("")
            rows.append(
                f"A forecast was ready {statistics.median(ready):.1f} s (median) after the call that began it; it is made in a process of its own."
            )
        finally:
            service.stop()
    return rows


def waits(service: Service, chance: random.Random, people: int) -> tuple[list[float], list[float], list[float]]:
    """Until a forecast is ready, the first call of each person, and the call that says it; one person not counted."""
    ready, first, then = [], [], []
    for number in range(people + 1):
        body, start = person(chance), time.perf_counter()
        wall, cards = service.ask("leuko-patient-view", view(body))
        early = wall
        while not any("forecast" in card["summary"] or "lowest about" in card["summary"] for card in cards):
            time.sleep(0.05)
            wall, cards = service.ask("leuko-patient-view", view(body))
            assert time.perf_counter() - start < 120, "no forecast came"
        if number:
            ready.append(time.perf_counter() - start)
            first.append(early)
            then.append(wall)
    return ready, first, then


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--calls", type=int, default=200)
    words.add_argument("--write", action="store_true", help="put the table into docs/reference/service.md")
    given = words.parse_args()
    load = os.getloadavg()[0]
    rows = [
        *table(given.calls),
        "",
        f"`bench/hooks.py --calls {given.calls}`, Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {load:.1f} when it began.",
    ]
    print("\n".join(rows))
    if given.write:
        text = PAGE.read_text("utf-8")
        before, after = text.partition(MARKS[0])[0], text.partition(MARKS[1])[2]
        PAGE.write_text("\n".join([f"{before}{MARKS[0]}", "", *rows, "", f"{MARKS[1]}{after}"]), "utf-8")


if __name__ == "__main__":
    main()
