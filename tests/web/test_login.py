"""Coming in with a real browser: what cookies do between sites, only a browser knows."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe

from fixtures.provider import Provider, provider
from fixtures.served import NOW, PASSWORD, Served, chromium, served
from leuko.service.http.settings import OidcSettings

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.web


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = chromium()
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def vouching() -> Iterator[Provider]:
    """On 127.0.0.1, which is another site to browsers than localhost, where the service is."""
    with provider(NOW) as made:
        yield made


@pytest.fixture(scope="module")
def address(vouching: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    oidc = OidcSettings(issuer=vouching.issuer, client_id="leuko", roles={"leuko-clinicians": "clinician"})
    url = f"http://localhost:{port}"
    folder = Path(tmp_path_factory.mktemp("service"))
    with served(folder, port=port, public_url=url, oidc=oidc) as at:
        assert isinstance(at, Served)
        yield url


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def by_password(page: Any, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Name").fill("weiss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{address}/")


def test_the_provider_leads_back_to_where_the_person_wanted(page: Any, address: str) -> None:
    page.goto(f"{address}/knowledge")
    page.wait_for_url(f"{address}/login")
    page.get_by_role("link", name="Sign in with the hospital's account").click()
    page.wait_for_url(f"{address}/knowledge")
    assert "code=" not in page.content()


def test_a_link_of_the_ehr_finds_who_is_logged_in(page: Any, address: str, vouching: Provider) -> None:
    by_password(page, address)
    page.goto(f"{vouching.issuer}/ehr?to={quote(f'{address}/knowledge')}")
    page.get_by_role("link", name="Open leuko").click()
    page.wait_for_url(f"{address}/knowledge")
    page.get_by_role("heading").first.wait_for()
    assert page.locator("#password").count() == 0


def test_a_link_of_the_ehr_leads_others_to_the_login_and_on(page: Any, address: str, vouching: Provider) -> None:
    page.goto(f"{vouching.issuer}/ehr?to={quote(f'{address}/knowledge')}")
    page.get_by_role("link", name="Open leuko").click()
    page.wait_for_url(f"{address}/login")
    page.get_by_label("Name").fill("weiss")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{address}/knowledge")


def test_nothing_of_a_page_is_kept_when_one_has_gone(page: Any, address: str) -> None:
    by_password(page, address)
    cookies = {one["name"]: one for one in page.context.cookies()}
    assert cookies["leuko"]["httpOnly"]
    assert cookies["leuko"]["sameSite"] == "Strict"
    page.context.clear_cookies()
    page.go_back()
    page.goto(f"{address}/knowledge")
    page.wait_for_url(f"{address}/login")


def test_the_login_can_be_used_by_everyone(page: Any, address: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{address}/login")
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("weiss")
    page.keyboard.press("Tab")
    page.keyboard.type("a wrong password")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text() == "The name or the password is wrong."
    assert [line for line in said if "Content Security Policy" in line] == []
