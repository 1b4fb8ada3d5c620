"""Login with an OpenID provider: who is vouched for comes in, and nothing that does not fit is believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import APIRouter, Depends, Response
from sqlalchemy import select
from starlette.testclient import TestClient

from fixtures.http import asked
from fixtures.provider import Provider, provider
from fixtures.stores import START
from leuko.errors import UsageError
from leuko.service.http.guard import Role, Who, needs
from leuko.service.http.guard.oidc import ProviderError, discover
from leuko.service.http.settings import HttpSettings, OidcSettings
from leuko.service.store import Store, open_store
from leuko.service.store.tables import audit

PAGE = {"Accept": "text/html"}


def routes() -> APIRouter:
    made = APIRouter()

    @made.get("/people", response_model=None)
    def start(who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> Response:
        return Response(f"{who.name} {who.role.word} {who.via}")

    return made


@pytest.fixture
def vouching() -> Iterator[Provider]:
    with provider(START) as made:
        yield made


def settings_for(vouching: Provider) -> OidcSettings:
    return OidcSettings(
        issuer=vouching.issuer,
        client_id="leuko",
        client_secret="kept in a file",  # noqa: S106
        roles={"leuko-clinicians": "clinician", "leuko-viewers": "viewer"},
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "store.sqlite", clock=lambda: START)
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store, vouching: Provider) -> Iterator[TestClient]:
    settings = HttpSettings(oidc=settings_for(vouching), public_url="http://localhost")
    with asked(store, [routes()], settings=settings) as made:
        yield made


def enter(client: TestClient, vouching: Provider, **changed: str) -> int:
    there = client.get("/login/oidc")
    brought = {**vouching.log_in(there.headers["location"]), **changed}
    return client.get("/login/oidc/back", params=brought).status_code


def test_who_is_vouched_for_comes_in_with_the_role_of_their_group(client: TestClient, vouching: Provider) -> None:
    assert "/login/oidc" in client.get("/login").text
    assert client.get("/people", headers=PAGE).headers["location"] == "/login"
    assert enter(client, vouching) == 200
    assert client.get("/login/done").headers["location"] == "/people"
    assert client.get("/people").text == "ada (127.0.0.1) clinician oidc"
    assert vouching.redeemed[0]["client_secret"] == "kept in a file"  # noqa: S105


def test_the_cookie_of_the_way_there_comes_along_from_the_provider_and_that_of_the_login_does_not(
    client: TestClient, vouching: Provider
) -> None:
    there = client.get("/login/oidc")
    assert "SameSite=lax" in there.headers["set-cookie"]
    back = client.get("/login/oidc/back", params=vouching.log_in(there.headers["location"]))
    cookie = next(one for one in back.headers.get_list("set-cookie") if one.startswith("leuko="))
    assert "SameSite=strict" in cookie


def test_who_has_no_role_stays_outside_and_stands_in_the_audit(
    client: TestClient, vouching: Provider, store: Store
) -> None:
    vouching.claims["groups"] = ["ward"]
    assert enter(client, vouching) == 403
    assert client.get("/people").status_code == 401
    with store.read() as connection:
        rows = list(connection.execute(select(audit.c.action, audit.c.actor)))
    assert rows == [("login-refused", "ada (127.0.0.1)")]


def at(minutes: float) -> int:
    return int((START + timedelta(minutes=minutes)).timestamp())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"exp": at(-5)},
        {"iat": at(-60)},
        {"iat": at(5)},
        {"iat": "yesterday"},
        {"exp": 1e300},
        {"aud": ["leuko", "another"]},
        {"azp": "another"},
    ],
    ids=str,
)
def test_a_token_that_does_not_fit_is_not_believed(
    client: TestClient, vouching: Provider, spoilt: dict[str, Any]
) -> None:
    vouching.spoil = spoilt
    assert enter(client, vouching) == 403
    assert client.get("/people").status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_the_provider_did_not_sign_is_not_believed(
    client: TestClient, vouching: Provider, algorithm: str
) -> None:
    vouching.algorithm = algorithm
    assert enter(client, vouching) == 403


def test_a_token_signed_with_another_key_of_the_same_name_is_not_believed(
    client: TestClient, vouching: Provider
) -> None:
    assert enter(client, vouching) == 200
    vouching.key = ec.generate_private_key(ec.SECP256R1())
    assert enter(client, vouching) == 403


def test_clocks_may_differ_a_little(client: TestClient, vouching: Provider) -> None:
    vouching.spoil = {"iat": at(0.5), "exp": at(-0.5)}
    assert enter(client, vouching) == 200


def test_a_code_is_redeemed_once_and_in_the_browser_that_began(client: TestClient, vouching: Provider) -> None:
    there = client.get("/login/oidc")
    brought = vouching.log_in(there.headers["location"])
    mine = client.cookies["leuko-oidc"]
    client.cookies.set("leuko-oidc", "another browser")
    assert client.get("/login/oidc/back", params=brought).status_code == 403
    client.cookies.set("leuko-oidc", mine)
    assert client.get("/login/oidc/back", params=brought).status_code == 403, "a state is good for one attempt"
    assert enter(client, vouching, state="invented") == 403
    assert enter(client, vouching, code="invented") == 403
    assert client.get("/login/oidc/back", params={"error": "access_denied"}).status_code == 403


def test_only_the_issuer_of_the_settings_is_believed(vouching: Provider) -> None:
    vouching.named = "https://evil.example"
    with pytest.raises(ProviderError, match="another name"):
        discover(settings_for(vouching))


def test_a_provider_in_the_clear_on_the_network_is_not_asked() -> None:
    with pytest.raises(UsageError, match="HTTPS"):
        discover(OidcSettings(issuer="http://login.hospital.example", client_id="leuko"))


def test_a_provider_that_is_down_is_told() -> None:
    gone = OidcSettings(issuer="http://127.0.0.1:1", client_id="leuko")
    with pytest.raises(ProviderError, match="cannot be reached"):
        discover(gone)
