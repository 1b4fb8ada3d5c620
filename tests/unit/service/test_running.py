"""Running the service: its settings, what --check says, what it tells monitors and the log, and how it stops."""

from __future__ import annotations

import json
import logging
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends
from starlette.testclient import TestClient

from fixtures.hl7 import oru
from fixtures.http import asked, log_in
from fixtures.served import served
from fixtures.stores import take
from leuko.__main__ import main
from leuko.errors import UnreadableInput, UsageError
from leuko.service import background
from leuko.service.grade import grade
from leuko.service.http import server
from leuko.service.http.guard import Role, Who, limits, needs
from leuko.service.http.settings import HttpSettings
from leuko.service.logs import formatter
from leuko.service.settings import read_settings
from leuko.service.store import Store, open_store

PATIENCE = 30.0
SAID = "Mrs Example, born 1961, 0.4"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "leuko.toml"
    file.write_text(text)
    return file


# ---- settings -------------------------------------------------------------------------------------------------------


def test_settings_are_read_from_the_file_the_environment_and_files_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    file = written(
        tmp_path,
        f"""
        store = {{ env = "WHERE" }}
        zone = "Europe/Berlin"
        log = "json"
        [mllp]
        listen = "127.0.0.1:2575"
        [http]
        listen = "[::1]:8443"
        public_url = "https://leuko.example/"
        drain_seconds = 2.5
        [http.limits]
        login_failures = 3
        [http.oidc]
        issuer = "https://login.example"
        client_id = "leuko"
        client_secret = {{ file = "{tmp_path / "secret"}" }}
        roles = {{ doctors = "clinician" }}
        [hooks]
        base_url = "https://leuko.example"
        """,
    )
    settings = read_settings(file, environment={"WHERE": "postgresql://leuko:pw@db/leuko"})
    assert (settings.store, str(settings.zone), settings.log) == (
        "postgresql://leuko:pw@db/leuko",
        "Europe/Berlin",
        "json",
    )
    http = settings.http
    assert http is not None
    assert (http.host, http.port, http.public_url) == ("::1", 8443, "https://leuko.example")
    assert (http.limits.login_failures, http.limits.burst, http.drain_seconds) == (3, 600, 2.5)
    assert http.oidc is not None
    assert (http.oidc.client_secret, dict(http.oidc.roles)) == ("from a file", {"doctors": "clinician"})
    assert http.part("hooks") == {"base_url": "https://leuko.example"}
    assert "from a file" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http = 3", "$.http"),
        ("[http]\nlisten = 'x'", "not HOST:PORT"),
        ("[http]\nlisten = '127.0.0.1:99999'", "not HOST:PORT"),
        ("[http]\nlisten = '127.0.0.1:1'\nlissten = 2", "lissten"),
        ("zone = 'Mars/Olympus'", "time zone"),
        ("store = { env = 'NOT_SET' }", "NOT_SET"),
        ("store = { file = '/nowhere/at/all' }", "cannot be read"),
        ("store = 'postgresql://leuko:pw@db/leuko'", "a secret stands"),
        (
            "[http]\nlisten='127.0.0.1:1'\n[http.oidc]\nissuer='a'\nclient_id='b'\nclient_secret='c'\nroles={}",
            "a secret",
        ),
        ("[http]\nlisten='127.0.0.1:1'\n[http.oidc]\nissuer='a'\nclient_id='b'\nroles={x='king'}", "is no role"),
    ],
)
def test_settings_that_cannot_be_meant_are_explained(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        read_settings(written(tmp_path, text), environment={})
    assert told in str(error.value)


def test_settings_that_are_no_toml_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the settings are not valid TOML") as error:
        read_settings(written(tmp_path, "http ="))
    assert "leuko.toml" in str(error.value)
    assert "help: correct that line" in str(error.value)
    with pytest.raises(UnreadableInput):
        read_settings(tmp_path / "missing.toml")


# ---- --check --------------------------------------------------------------------------------------------------------


def test_a_good_configuration_is_said_to_be_good(
    tmp_path: Path, kept: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store = kept.file
    file = written(tmp_path, f'store = "{store}"\n[http]\nlisten = "127.0.0.1:8080"\n')
    assert main(["serve", "--settings", str(file), "--check"]) == 0
    told = capsys.readouterr().out
    assert "its tables are those of this leuko" in told
    assert "every part of the service can be put together" in told
    assert "nobody may log in as admin" in told
    assert "problem" not in told


def test_what_is_wrong_is_told_all_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
    store = "postgresql://leuko@127.0.0.1:1/leuko?connect_timeout=1"
    [mllp]
    listen = "10.0.0.5:2575"
    [http]
    listen = "127.0.0.1:8080"
    monitors = ["everybody"]
    [http.oidc]
    issuer = "http://login.example"
    client_id = "leuko"
    roles = {}
    """
    assert main(["serve", "--settings", str(written(tmp_path, text)), "--check"]) == 2
    told = capsys.readouterr().out
    problems = re.findall(r"^problem: (\w+(?:\.\w+)?)", told, re.MULTILINE)
    assert problems == ["mllp", "oidc", "oidc", "oidc", "http.monitors", "store"]


def test_an_address_that_cannot_be_had_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--store", str(tmp_path / "x.sqlite"), "--check", "--network-without-tls"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--http", f"127.0.0.1:{taken.getsockname()[1]}", *words]) == 0
    assert "cannot be had just now (EADDRINUSE)" in capsys.readouterr().out
    assert main(["serve", "--http", "192.0.2.1:8080", *words]) == 2
    assert re.search("problem: http: 192.0.2.1:8080 cannot be had", capsys.readouterr().out)


def test_a_check_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "not-yet.sqlite"
    assert main(["serve", "--http", "127.0.0.1:0", "--store", str(missing), "--check"]) == 0
    assert "the first start makes it" in capsys.readouterr().out
    assert not missing.exists()


def test_somewhere_must_be_listened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--store", "x.sqlite"]) == 2
    assert "say where to listen" in capsys.readouterr().err


# ---- numbers and the log --------------------------------------------------------------------------------------------


def routes() -> APIRouter:
    made = APIRouter()

    @made.get("/people/{person}")
    def person(person: str, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> dict[str, str]:
        if person == "fails":
            raise ValueError(SAID)
        return {"person": person}

    return made


@pytest.fixture
def client(kept: Store) -> Iterator[TestClient]:
    with asked(kept, [routes()], grading=lambda: True) as made:
        yield made


def test_the_numbers_tell_routes_and_rows_and_nobody(client: TestClient, kept: Store) -> None:
    take(kept, oru(), "MSH||")
    log_in(client, Role.VIEWER)
    client.get("/people/4711^HOSP")
    told = client.get("/metrics").text
    assert 'leuko_http_requests_total{method="GET",route="/people/{person}",status="200"} 1.0' in told
    assert "leuko_messages_stored_total 1.0" in told
    assert "leuko_messages_ungraded 1.0" in told
    assert "leuko_messages_waiting_for_a_person 1.0" in told
    assert 'leuko_ready{check="grading"} 1.0' in told
    assert "4711" not in told
    grade(kept)
    told = client.get("/metrics").text
    assert "leuko_messages_ungraded 0.0" in told
    assert "leuko_assessments_total 1.0" in told


def test_the_numbers_are_for_monitors_and_admins(kept: Store) -> None:
    with asked(kept, settings=HttpSettings(monitors=())) as client:
        assert client.get("/metrics").status_code == 401
        log_in(client, Role.ADMIN)
        assert client.get("/metrics").status_code == 200


def test_who_comes_through_a_proxy_that_nobody_named_is_no_monitor(client: TestClient) -> None:
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 401
    assert "checks" not in client.get("/ready", headers={"X-Forwarded-For": "203.0.113.7"}).json()


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_log_holds_nobody_and_nothing_of_a_fault(
    client: TestClient, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    token = log_in(client, Role.VIEWER, name="Ada")
    with caplog.at_level(logging.INFO):
        client.get("/people/4711^HOSP?born=1961")
        client.get("/people/fails")
        fault = ValueError(SAID)
        logging.getLogger("leuko.anything").error("a task failed", exc_info=fault)
        logging.getLogger("a.library").error("it said %s", SAID)
    made = formatter("json" if form == "json" else "text")
    lines = [made.format(record) for record in caplog.records if record.name != "httpx"]
    whole = "\n".join(lines)
    for held in ("4711", "1961", "Ada", SAID, token, client.cookies["leuko"]):
        assert held not in whole
    assert "/people/{person}" in whole
    assert whole.count("ValueError") == 2
    if form == "json":
        first = next(json.loads(line) for line in lines if "/people/" in line)
        assert (first["route"], first["status"], first["method"]) == ("/people/{person}", 200, "GET")
        assert re.fullmatch(r"[0-9a-f]{16}", first["request"])


# ---- starting and stopping ------------------------------------------------------------------------------------------


class Running:
    """`leuko serve --http` in a process of its own."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "leuko", "serve", *words], stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        self.told: list[str] = []
        for line in self.process.stderr:
            self.told.append(line)
            found = re.search(r"listening for HTTP on 127\.0\.0\.1:(\d+)( with TLS)?", line)
            if found:
                self.address = f"http{'s' if found[2] else ''}://127.0.0.1:{found[1]}"
                break
        else:
            raise AssertionError("".join(self.told))
        self.reader = threading.Thread(target=lambda: self.told.extend(self.process.stderr or ()))
        self.reader.start()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


def test_it_starts_answers_says_that_it_stops_and_stops(tmp_path: Path) -> None:
    text = f"""
    store = "{tmp_path / "store.sqlite"}"
    grading = false
    log = "json"
    [mllp]
    listen = "127.0.0.1:0"
    [http]
    listen = "127.0.0.1:0"
    drain_seconds = 4
    """
    running = Running("--settings", str(written(tmp_path, text)))
    try:
        assert httpx.get(f"{running.address}/ready").json()["status"] == "ready"
        assert httpx.get(f"{running.address}/", headers={"Accept": "text/html"}).headers["location"] == "/login"
        running.process.send_signal(signal.SIGTERM)
        told = {}
        while told.get("status") != "not ready":
            told = httpx.get(f"{running.address}/ready").json()
        assert told["checks"]["running"] == "the service is stopping"
    finally:
        assert running.stop() == 0
    assert all(json.loads(line)["level"] for line in running.told if line.startswith("{"))
    assert "Traceback" not in "".join(running.told)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of two days for this machine, and its key, which others may read."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    made, key = tmp_path / "c.pem", tmp_path / "k.pem"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *words, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)
    return made, key


def test_https_is_served_and_what_a_known_proxy_tells_is_believed(
    tmp_path: Path, certificate: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    made, key = certificate
    text = f"""
    store = "{tmp_path / "store.sqlite"}"
    grading = false
    [http]
    listen = "127.0.0.1:0"
    certificate = "{made}"
    key = "{key}"
    proxies = ["127.0.0.1"]
    """
    file = written(tmp_path, text)
    assert main(["serve", "--settings", str(file), "--check"]) == 0
    told = capsys.readouterr().out
    assert "the certificate ends on" in told
    assert "can be read by other users of this machine" in told
    running = Running("--settings", str(file))
    try:
        with httpx.Client(verify=ssl.create_default_context(cafile=str(made))) as client:
            mine = client.get(f"{running.address}/ready")
            assert mine.headers["strict-transport-security"]
            assert "checks" in mine.json()
            other = client.get(f"{running.address}/ready", headers={"X-Forwarded-For": "203.0.113.9"})
            assert (other.status_code, "checks" in other.json()) == (200, False)
            cookie = client.get(f"{running.address}/login").headers["set-cookie"]
            assert cookie.startswith("__Host-leuko-form=")
            assert "Secure" in cookie
    finally:
        assert running.stop() == 0


def test_a_service_whose_address_is_taken_says_so_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["serve", "--http", address, "--no-grading", "--store", str(tmp_path / "x.sqlite")]) == 2
    assert "cannot listen on" in capsys.readouterr().err


def test_a_fault_in_the_grading_process_is_told_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ValueError(SAID)

    monkeypatch.setattr(background, "_forever", fails)
    before = tuple(logging.getLogger().handlers)
    try:
        with pytest.raises(SystemExit) as ended:
            background._run(background.Job(where=str(tmp_path / "x.sqlite"), zone=UTC), 1)
    finally:
        logging.getLogger().handlers[:] = before
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "grading ended: ValueError" in told
    assert SAID not in told


# ---- clients that say nothing, or never end -------------------------------------------------------------------------


def said(address: str, text: bytes) -> bytes:
    """What comes back until the service closes the connection, after this was sent and nothing more."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(text)
        found = b""
        while piece := connection.recv(65536):
            found += piece
        return found


def test_connections_that_ask_nothing_or_never_end_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_SILENT_SECONDS", 1.0)
    monkeypatch.setattr(limits, "_BODY_SECONDS", 1.0)
    with served(tmp_path) as at:
        assert said(at.url, b"") == b""
        assert said(at.url, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n") == b""
        begin = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        assert b" 408 " in said(at.url, begin + b"Content-Length: 1000\r\n\r\nname=a")
        assert httpx.get(f"{at.url}/health").status_code == 200
