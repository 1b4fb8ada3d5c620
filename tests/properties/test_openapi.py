"""Whatever the interface allows, and much that it does not, is answered: no fault of our own, and nothing hangs.

Every route of the service is asked, with requests made from its OpenAPI by schemathesis: as an admin, and as nobody.
LEUKO_FUZZ=500 asks each route so often, and anew each time.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy, deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from starlette.testclient import TestClient

from fhir_build import bundle, observation, patient
from fixtures.hl7 import message, msh, obr, obx, oru, pid
from fixtures.hooks import anc, desk, order, request, wbc
from fixtures.http import asked, log_in
from fixtures.stores import Clock, take
from leuko.cli.serve import routers
from leuko.service.grade import grade
from leuko.service.http.settings import HttpSettings, LimitSettings
from leuko.service.roles import Role
from leuko.service.store import Store, open_store

Json = dict[str, Any]
SETTINGS = HttpSettings(limits=LimitSettings(requests_per_minute=0))
ASKED = int(os.environ.get("LEUKO_FUZZ", "0"))
PATIENCE = 600 + 60 * ASKED  # seconds until the whole counts as hung


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = open_store(tmp_path_factory.mktemp("openapi") / "x.sqlite", clock=Clock())
    other = message(msh("B"), pid("12^^^HOSP^MR", sex="M"), obr("F2"), obx("3.5"))
    take(store, oru("0.4"), oru("0.2", control="M2", status="C", sent="20260110100000+0100"), other, "junk", oru("0.9"))
    grade(store)
    yield store
    store.close()


@pytest.fixture(scope="module")
def client(opened: Store) -> Iterator[TestClient]:
    with asked(opened, routers(SETTINGS), settings=SETTINGS) as found:
        yield found


@contextmanager
def no_hang() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError("a request hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# ---- the routes, and values that stand in them ----------------------------------------------------------------------


def leaves(routes: list[Any]) -> Iterator[Any]:
    """Every route, also of the pages, which the published OpenAPI leaves out."""
    for route in routes:
        if hasattr(route, "original_router"):
            assert not route.include_context.prefix
            yield from leaves(route.original_router.routes)
        elif isinstance(route, APIRoute):
            shown = copy(route)
            shown.include_in_schema, shown.response_field = True, None
            yield shown


def described(client: TestClient) -> dict[str, Any]:
    """The OpenAPI of the app with every route."""
    app: Any = client.app
    made = get_openapi(title="leuko", version="0", routes=list(leaves(app.routes)))
    return dict(json.loads(json.dumps(made)))


class _Links(HTMLParser):
    """The links of a page, and the fields of its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.fields: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value for name, value in attrs if name in {"href", "action", "src", "hx-get", "hx-post"} and value
        ]
        if tag in {"input", "select", "textarea", "button"}:
            self.fields |= {value for name, value in attrs if name == "name" and value}


def known_values(client: TestClient, paths: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Values of path parameters that lead somewhere, from the links of the pages; and the names in their forms."""
    values: dict[str, list[str]] = {}
    fields: set[str] = set()
    waiting, seen = ["/"], set[str]()
    while waiting and len(seen) < 60:
        url = waiting.pop(0)
        seen.add(url)
        answer = client.get(url)
        if answer.status_code >= 400 or "html" not in answer.headers.get("content-type", ""):
            continue
        links = _Links()
        links.feed(answer.text)
        fields |= links.fields
        for link in links.found:
            parts = urlsplit(link)
            if parts.netloc or not parts.path.startswith("/"):
                continue
            _match(parts.path, paths, values)
            if link not in seen and link not in waiting and "logout" not in link:
                waiting.append(link)
    return values, sorted(fields - {"csrf"})


def _match(path: str, paths: list[str], values: dict[str, list[str]]) -> None:
    for known in paths:
        names = re.findall(r"\{(\w+)\}", known)
        found = re.fullmatch(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(known)), path)
        if found:
            for name, value in zip(names, found.groups(), strict=True):
                if unquote(value) not in values.setdefault(name, []):
                    values[name].append(unquote(value))


def send(client: TestClient, case: Case, path_values: Mapping[str, Any]) -> httpx.Response:
    """One case as a request, with some path parameters that lead somewhere."""
    case.path_parameters = {**dict(case.path_parameters or {}), **path_values}
    words = case.as_transport_kwargs(base_url="http://localhost")
    words.pop("cookies", None)
    request = httpx.Request(
        words["method"],
        words["url"],
        params=words.get("params"),
        content=_content(words),
        headers=_headers(words),
    )
    return client.send(_with_login(client, request))


def _content(words: Mapping[str, Any]) -> bytes | None:
    import requests

    made = requests.Request(
        words["method"],
        "http://localhost",
        data=words.get("data"),
        json=words.get("json"),
        files=words.get("files"),
    ).prepare()
    body = made.body
    words["headers"].setdefault("Content-Type", made.headers.get("Content-Type", "application/octet-stream"))
    return body.encode() if isinstance(body, str) else body


def _headers(words: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1", "replace"), str(value).encode("latin-1", "replace"))
        for name, value in dict(words["headers"]).items()
        if name.casefold() not in {"host", "content-length", "transfer-encoding"}
    ]


def _with_login(client: TestClient, request: httpx.Request) -> httpx.Request:
    for name, value in client.headers.items():
        if name.casefold() == "x-csrf-token":
            request.headers.setdefault(name, value)
    client.cookies.set_cookie_header(request)
    return request


# ---- asked ----------------------------------------------------------------------------------------------------------


def fuzzed(often: int) -> settings:
    """So many examples: the same ones each time, unless LEUKO_FUZZ asks for more."""
    return settings(
        max_examples=ASKED or often,
        deadline=None,
        derandomize=not ASKED,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def sound(operation: str, answer: httpx.Response) -> None:
    assert answer.status_code < 500, f"{operation}: {answer.status_code} {answer.text[:300]}"
    if "/fhir/" in operation and answer.status_code >= 400:
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("role", [Role.ADMIN, None])
def test_no_request_makes_a_fault(client: TestClient, role: Role | None) -> None:
    client.cookies.clear()
    log_in(client, Role.ADMIN, name="reader")
    whole = described(client)
    values, fields = known_values(client, list(whole["paths"]))
    schema = schemathesis.openapi.from_dict(whole)
    count = 0
    with no_hang():
        for operation in (one.ok() for one in schema.get_all_operations()):
            client.cookies.clear()
            if role is not None:  # each time, as one of the routes ends the login
                log_in(client, role, name="fuzz")
            _ask(client, operation, values, often=8 if role is not None else 3)
            if operation.method == "post" and role is not None:
                _fill(client, operation, values, fields)
            count += 1
    assert count > 20
    assert values["number"]
    assert fields


def _ask(client: TestClient, operation: Any, values: Mapping[str, list[str]], *, often: int) -> None:
    """What schemathesis makes of the OpenAPI: as it allows, and as it does not."""
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @fuzzed(often)
    @given(case=cases, own=_own(operation, values))
    def ask(case: Case, own: dict[str, str]) -> None:
        sound(operation.label, send(client, case, own))

    ask()


def _own(operation: Any, values: Mapping[str, list[str]]) -> st.SearchStrategy[dict[str, str]]:
    named = [name for name in re.findall(r"\{(\w+)\}", operation.path) if values.get(name)]
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values[name]) for name in named})


WORDS = [
    "",
    "38.5",
    "-1",
    "1e999",
    "NaN",
    "2026-01-10",
    "9999-12-31",
    "0001-01-01",
    "yes",
    "no",
    "0,4",
    "\0",
    "١٢",
    "a" * 9000,
]
TEXT = st.one_of(st.sampled_from(WORDS), st.text(max_size=30))


def _fill(client: TestClient, operation: Any, values: Mapping[str, list[str]], fields: list[str]) -> None:
    """Forms: the names that stand in the pages, with anything in them; and files."""
    filled = st.dictionaries(st.sampled_from(fields), st.one_of(TEXT, st.lists(TEXT, max_size=3)), max_size=8)
    files = st.dictionaries(st.sampled_from([*fields, "file", "files"]), st.tuples(TEXT, CONTENT), max_size=2)

    @fuzzed(10)
    @given(own=_own(operation, values), data=filled, sent=files)
    def fill(own: dict[str, str], data: dict[str, Any], sent: dict[str, tuple[str, bytes]]) -> None:
        path = re.sub(r"\{(\w+)\}", lambda found: quote(own.get(found[1], "1"), safe=""), operation.path)
        sound(operation.label, client.post(path, data=data, files=sent or None))

    fill()


# ---- records that are damaged ---------------------------------------------------------------------------------------

RECORD: Json = bundle(
    patient(),
    observation("w1", value=3.2),
    observation("a1", "751-8", 0.4),
    order(),
    {"resourceType": "Condition", "id": "c1", "code": {"text": "x"}, "subject": {"reference": "Patient/ada"}},
)
JUNK = st.one_of(
    st.sampled_from(
        [None, True, [], {}, [[]], "", " ", "Patient/ada", "#x", "http://x", 0, -1, 1e308, 10**30, "2026", "\0"]
    ),
    st.text(max_size=20),
    st.integers(),
    st.recursive(
        st.none() | st.text(max_size=3), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=9
    ),
)
CONTENT = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([json.dumps(RECORD).encode(), oru().encode(), b"date,ANC\n2026-01-10,0.4\n", b"%PDF", b"\xff\xfe"]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def damaged(whole: Json) -> st.SearchStrategy[Any]:
    """The value with junk in one or several places."""
    every = [path for path in places(whole) if path]

    def put(hits: list[tuple[tuple[Any, ...], Any]]) -> Any:
        made = deepcopy(whole)
        for path, junk in hits:
            with suppress(KeyError, IndexError, TypeError):  # a place that an earlier hit took away
                inner: Any = made
                for step in path[:-1]:
                    inner = inner[step]
                inner[path[-1]] = junk
        return made

    return st.lists(st.tuples(st.sampled_from(every), JUNK), min_size=1, max_size=4).map(put)


def test_a_damaged_record_is_assessed_or_refused(client: TestClient) -> None:
    client.cookies.clear()
    log_in(client, Role.CLINICIAN, name="fuzz")
    taken = []
    asked_for = [
        {"name": "record", "resource": RECORD},
        {"name": "patient", "valueReference": {"reference": "Patient/ada"}},
        {"name": "asOf", "valueDate": "2026-01-11"},
        {"name": "regimen", "valueString": "CHOP"},
    ]
    parameters = {"resourceType": "Parameters", "parameter": asked_for}

    @fuzzed(80)
    @given(st.one_of(damaged(RECORD), damaged(parameters)))
    def ask(body: Any) -> None:
        answer = client.post("/fhir/$leuko-assess", json=body)
        sound("/fhir/$leuko-assess", answer)
        taken.append(answer.status_code == 200)

    with no_hang():
        ask()
    assert 0 < sum(taken) < len(taken)


def test_a_damaged_hook_is_answered(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite")
    taken = []
    with desk(store, forecasts=False) as ehr:
        whole = request(anc(), wbc())
        services = [one["id"] for one in ehr.get().json()["services"]]

        @fuzzed(60)
        @given(st.one_of(damaged(whole), JUNK), st.sampled_from([*services, "none"]))
        def ask(body: Any, service: str) -> None:
            answer = ehr.post(f"/cds-services/{service}", body)
            sound("/cds-services", answer)
            taken.append(answer.status_code == 200)

        @fuzzed(30)
        @given(
            damaged({"feedback": [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "2024-03-02T09:00:00Z"}]})
        )
        def tell(body: Any) -> None:
            sound("/feedback", ehr.post(f"/cds-services/{services[0]}/feedback", body))

        with no_hang():
            ask()
            tell()
    store.close()
    assert 0 < sum(taken) < len(taken)
