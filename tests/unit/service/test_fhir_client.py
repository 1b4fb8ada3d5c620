"""Fetched is all of it or nothing: pages, logins and exports that break off, lead astray or never end are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import ECAlgorithm

import leuko
from fixtures.fhir_server import BASE, FakeServer, Time, answer, neutrophils, outcome, patient, served
from leuko.__main__ import main
from leuko.errors import UnreadableInput, UsageError
from leuko.service.fhir.client import pages
from leuko.service.fhir.client.bulk import question, scope_of
from leuko.service.fhir.client.folder import Fetched, fetch_export, fetch_people
from leuko.service.fhir.client.key import Key, read_key
from leuko.service.fhir.client.login import Login, Registration
from leuko.service.fhir.client.person import patient_id
from leuko.service.fhir.client.talk import Talk, checked_base

EC = ec.generate_private_key(ec.SECP384R1())
KEY = Key(private=EC, algorithm="ES384", kid="k1")
RECORD = [patient(), *[neutrophils((n + 4) / 10, name=f"o{n}", day=f"2026-01-0{n + 1}") for n in range(5)]]


def server_with(*resources: Any, login: bool = False, **more: Any) -> FakeServer:
    public = EC.public_key() if login else None
    return FakeServer(time=Time(), resources=list(resources or RECORD), public=public, **more)


def talk_with(server: FakeServer, key: Key = KEY) -> Talk:
    client = httpx.Client(transport=httpx.MockTransport(server))
    same: dict[str, Any] = {"client": client, "now": server.time.now, "sleep": server.time.sleep}
    if server.public is None:
        return Talk(server.base, **same)
    login = Login(Talk(server.base, **same), Registration(client_id="leuko", key=key))
    return Talk(server.base, tokens=login, **same)


def fetched(server: FakeServer, folder: Path, *people: str, search: bool = False) -> Fetched:
    return fetch_people(talk_with(server), people or ("ada",), folder / "out", search=search)


def exported(server: FakeServer, folder: Path) -> Fetched:
    return fetch_export(talk_with(server), question("all"), folder / "out", patience=timedelta(hours=1))


def values(folder: Path) -> list[float]:
    (record,) = leuko.read(folder / "out").records
    return sorted(count.value for count in record.counts)


ALL = [0.4, 0.5, 0.6, 0.7, 0.8]

# ---- one person -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("search", [False, True])
def test_all_pages_of_a_person_are_read_by_leuko(tmp_path: Path, search: bool) -> None:
    server = server_with()
    done = fetched(server, tmp_path, search=search)
    assert done.resources == {"Patient": 1, "Observation": 5}
    assert values(tmp_path) == ALL
    assert server.times("$everything") == (0 if search else 3)
    assert all((tmp_path / "out" / name).exists() for name in ["Patient-ada.json"])
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


def test_searches_stand_in_where_everything_is_not_offered(tmp_path: Path) -> None:
    server = server_with(everything=False)
    done = fetched(server, tmp_path)
    assert values(tmp_path) == ALL
    assert any("the server has no" in words and "Specimen" in words for words in done.troubles)
    assert server.times("MedicationRequest?patient=ada") == 1
    assert server.times("Specimen") == 0


def test_what_cannot_be_searched_is_told_and_travels_with_the_data(tmp_path: Path) -> None:
    server = server_with(everything=False)
    server.faults = [("/Condition", answer(outcome("error", "no scope"), 403))]
    done = fetched(server, tmp_path)
    assert "Condition could not be searched: the server answered 403" in done.troubles
    notices = leuko.read(tmp_path / "out").notices
    assert any(notice.code == "LK405" and "Condition could not be searched" in notice.text for notice in notices)


def test_without_the_results_nothing_is_left(tmp_path: Path) -> None:
    server = server_with(everything=False)
    server.faults = [("/Observation", answer(outcome("error", "no scope"), 403))]
    with pytest.raises(UnreadableInput, match="status 403"):
        fetched(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_person_who_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as error:
        fetched(server_with(everything=False), tmp_path, "eve")
    assert error.value.why == "error processing no such patient"
    assert list(tmp_path.iterdir()) == []


def test_several_people_are_a_file_each(tmp_path: Path) -> None:
    server = server_with(*RECORD, patient("bob"), neutrophils(3.0, person="bob", name="b1"))
    fetched(server, tmp_path, "ada", "bob", "ada")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["Patient-ada.json", "Patient-bob.json"]


def test_results_of_other_people_are_not_kept(tmp_path: Path) -> None:
    """A server that ignores the question gives everybody's results."""
    server = server_with()
    stranger = neutrophils(0.1, person="eve", name="x1")
    mixed = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (*RECORD, stranger, patient("eve"))]}
    server.faults = [(r"\$everything", answer(mixed))]
    done = fetched(server, tmp_path)
    assert values(tmp_path) == ALL
    assert done.troubles == ("the server gave 2 resources of other people, which were not kept",)
    assert b"Patient/eve" not in (tmp_path / "out" / "Patient-ada.json").read_bytes()


def test_numbers_are_kept_as_they_were_written(tmp_path: Path) -> None:
    server = server_with()
    body = json.dumps({"resourceType": "Bundle", "entry": [{"resource": neutrophils(0.123456)}]})
    sent = body.replace("0.123456", "0.70")
    server.faults = [(r"\$everything", httpx.Response(200, content=sent))]
    fetched(server, tmp_path)
    assert b'"value": 0.70' in (tmp_path / "out" / "Patient-ada.json").read_bytes()


# ---- pages ----------------------------------------------------------------------------------------------------------


def bundle(*resources: Any, onward: str = "", total: int | None = None) -> httpx.Response:
    links = [{"relation": "next", "url": onward}] if onward else []
    entries = [one if "resource" in one else {"resource": one} for one in resources]
    return answer({"resourceType": "Bundle", "link": links, "entry": entries, "total": total})


def test_a_page_that_breaks_off_is_asked_for_again(tmp_path: Path) -> None:
    server = server_with()
    half = httpx.Response(200, content=b'{"resourceType":"Bundle","entry":[{"resource":{"res')
    server.faults = [("at=2", half), ("at=4", httpx.RemoteProtocolError("peer closed connection"))]
    fetched(server, tmp_path)
    assert values(tmp_path) == ALL


def test_a_page_that_always_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    server = server_with()
    half = b'{"resourceType":"Bundle","entry":[{"resource":{"res'
    server.faults = [("at=2", httpx.Response(200, content=half)) for _ in range(3)]
    with pytest.raises(UnreadableInput, match="cannot be read"):
        fetched(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_missing_leaves_nothing(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("at=2", answer(outcome("error", "the search has expired"), 410))]
    with pytest.raises(UnreadableInput, match="and not the next"):
        fetched(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pages_in_a_circle_end(tmp_path: Path) -> None:
    server = server_with()
    first = f"{BASE}/Patient/ada/$everything?_count=200"
    server.faults = [("at=4", bundle(neutrophils(9.9, name="z"), onward=first))]
    with pytest.raises(UnreadableInput, match="circle"):
        fetched(server, tmp_path)


def test_pages_that_are_the_same_under_ever_new_links_end(tmp_path: Path) -> None:
    server, number = server_with(), iter(range(10_000))

    def again(_: httpx.Request) -> httpx.Response:
        server.faults.append((r"\$everything", again))
        return bundle(neutrophils(0.4), onward=f"{BASE}/Patient/ada/$everything?page={next(number)}")

    server.faults = [(r"\$everything", again)]
    with pytest.raises(UnreadableInput, match="circle"):
        fetched(server, tmp_path)
    assert len(server.asked) < 5


def test_empty_pages_without_end_end(tmp_path: Path) -> None:
    server, number = server_with(), iter(range(10_000))

    def again(_: httpx.Request) -> httpx.Response:
        server.faults.append((r"\$everything", again))
        return bundle(onward=f"{BASE}/Patient/ada/$everything?page={next(number)}")

    server.faults = [(r"\$everything", again)]
    with pytest.raises(UnreadableInput, match="do not end"):
        fetched(server, tmp_path)


@pytest.mark.parametrize(
    "onward", ["https://evil.example/fhir?at=2", "http://ehr.example/fhir?at=2", "https://ehr.example:8443/fhir?at=2"]
)
def test_a_link_to_another_server_is_not_followed(tmp_path: Path, onward: str) -> None:
    server = server_with(login=True)
    server.faults = [(r"\$everything", bundle(neutrophils(0.4), onward=onward))]
    with pytest.raises(UnreadableInput, match="another server"):
        fetched(server, tmp_path)
    assert not any("evil" in line for line in server.asked)


def test_a_relative_link_is_followed(tmp_path: Path) -> None:
    server = server_with(patient(), *RECORD[3:])
    server.faults = [(r"\$everything", bundle(*RECORD[:3], onward="?at=0"))]
    fetched(server, tmp_path)
    assert values(tmp_path) == ALL


def test_a_problem_in_a_page_is_told_and_travels_with_the_data(tmp_path: Path) -> None:
    server = server_with()
    told = {"resource": outcome("warning", "one system was down"), "search": {"mode": "outcome"}}
    server.faults = [(r"\$everything", bundle(*RECORD, told))]
    done = fetched(server, tmp_path)
    assert done.troubles == ("the server reported a problem with its answer: warning processing one system was down",)
    notices = leuko.read(tmp_path / "out").notices
    assert any(notice.code == "LK405" for notice in notices)


def test_a_problem_instead_of_a_page_leaves_nothing(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("at=2", answer(outcome("fatal", "out of memory")))]
    with pytest.raises(UnreadableInput) as error:
        fetched(server, tmp_path)
    assert error.value.why == "fatal processing out of memory"
    assert list(tmp_path.iterdir()) == []


def test_fewer_results_than_the_server_counts_are_told(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [(r"\$everything", bundle(*RECORD, total=9))]
    assert fetched(server, tmp_path).troubles == ("the server counts 9 results and gave 6",)


# ---- login ----------------------------------------------------------------------------------------------------------


def test_a_token_is_kept_until_it_ends(tmp_path: Path) -> None:
    server = server_with(login=True)
    talk = talk_with(server)
    for _ in range(3):
        assert talk.get(f"{BASE}/Patient/ada").status == 200
    assert server.times("POST") == 1
    server.time.at += timedelta(seconds=280)
    assert talk.get(f"{BASE}/Patient/ada").status == 200
    assert server.times("POST") == 2
    assert server.times("smart-configuration") == 1


def test_a_token_that_ended_early_is_renewed(tmp_path: Path) -> None:
    server = server_with(login=True)
    server.faults = [("at=2", answer(outcome("error", "expired"), 401))]
    fetched(server, tmp_path)
    assert values(tmp_path) == ALL
    assert server.times("POST") == 2


def test_a_token_that_is_never_taken_is_no_endless_loop(tmp_path: Path) -> None:
    server = server_with(login=True, token_seconds=0)
    with pytest.raises(UnreadableInput) as error:
        fetched(server, tmp_path)
    assert "no longer takes our token" in error.value.why
    assert server.times("POST") <= 3


def test_rsa_signs_with_rs384(tmp_path: Path) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = FakeServer(time=Time(), resources=RECORD, public=private.public_key(), algorithm="RS384")
    talk = talk_with(server, Key(private=private, algorithm="RS384", kid="k1"))
    assert talk.get(f"{BASE}/Patient/ada").status == 200


def test_a_key_that_the_server_does_not_take_is_explained() -> None:
    server = FakeServer(time=Time(), resources=RECORD, public=EC.public_key(), algorithm="RS384")
    with pytest.raises(UnreadableInput) as error:
        talk_with(server).get(f"{BASE}/Patient/ada")
    assert "it takes RS384; the key given signs ES384" in error.value.why


@pytest.mark.parametrize(("ahead", "way"), [(timedelta(hours=1), "behind"), (timedelta(hours=-1), "ahead of")])
def test_a_clock_that_is_wrong_is_named_as_the_cause(ahead: timedelta, way: str) -> None:
    server = server_with(login=True, ahead=ahead)
    with pytest.raises(UnreadableInput, match="does not let this client in") as error:
        talk_with(server).get(f"{BASE}/Patient/ada")
    assert f"3600 seconds {way} the server's" in error.value.do


def test_a_stranger_is_not_let_in() -> None:
    server = server_with(login=True)
    stranger = Key(private=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384", kid="k1")
    with pytest.raises(UnreadableInput) as error:
        talk_with(server, stranger).get(f"{BASE}/Patient/ada")
    assert "invalid_client" in error.value.why
    assert "public half" in error.value.do


def test_a_busy_login_is_asked_again_with_a_new_assertion() -> None:
    server = server_with(login=True)
    sent: list[bytes] = []

    def busy(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(503)

    server.faults = [("/token", busy), ("/token", busy)]
    assert talk_with(server).get(f"{BASE}/Patient/ada").status == 200
    assert len(set(sent)) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"junk",
        b"[]",
        b'{"token_type":"bearer"}',
        b'{"access_token":"\xc3\xa9"}',
        b'{"access_token":"x","token_type":"mac"}',
    ],
)
def test_a_junk_token_is_explained(body: bytes) -> None:
    server = server_with(login=True)
    server.faults = [("/token", httpx.Response(200, content=body))]
    with pytest.raises(UnreadableInput, match="login gave"):
        talk_with(server).get(f"{BASE}/Patient/ada")


def test_a_server_without_a_published_login_is_explained() -> None:
    server = server_with(login=True)
    server.faults = [("smart-configuration", httpx.Response(404))]
    with pytest.raises(UnreadableInput, match="does not publish how to log in") as error:
        talk_with(server).get(f"{BASE}/Patient/ada")
    assert "--token-url" in error.value.do


def test_a_login_in_the_clear_is_refused() -> None:
    server = server_with(login=True)
    server.faults = [("smart-configuration", answer({"token_endpoint": "http://ehr.example/token"}))]
    with pytest.raises(UsageError, match="not encrypted"):
        talk_with(server).get(f"{BASE}/Patient/ada")


def test_the_token_goes_to_no_other_server() -> None:
    server = server_with(login=True)
    seen: list[httpx.Headers] = []

    def other(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200)

    server.faults = [("other.example", other)]
    talk_with(server).get("https://other.example/file")
    assert "authorization" not in seen[0]


# ---- busy servers ---------------------------------------------------------------------------------------------------


def test_a_server_that_says_wait_is_waited_for(tmp_path: Path) -> None:
    server = server_with()
    date = format_datetime(datetime(2026, 1, 11, 13, 0, 40, tzinfo=UTC), usegmt=True)
    own = format_datetime(datetime(2026, 1, 11, 13, 0, 0, tzinfo=UTC), usegmt=True)  # its clock is not ours
    server.faults = [
        ("at=2", httpx.Response(429, headers={"retry-after": "17"})),
        ("at=2", httpx.Response(503, headers={"retry-after": date, "date": own})),
        ("at=2", httpx.Response(504)),
    ]
    fetched(server, tmp_path)
    assert values(tmp_path) == ALL
    assert server.time.slept == [17, 40, 4]


def test_a_server_that_is_gone_is_given_up_after_a_while(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("at=2", httpx.ConnectError("refused")) for _ in range(9)]
    with pytest.raises(UnreadableInput, match="does not answer") as error:
        fetched(server, tmp_path)
    assert "ConnectError" in error.value.why
    assert server.time.slept == [1, 2, 4, 8, 16]
    assert list(tmp_path.iterdir()) == []


def test_a_wait_without_measure_is_not_waited(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("at=2", httpx.Response(429, headers={"retry-after": "86400"}))]
    with pytest.raises(UnreadableInput, match="wait too long"):
        fetched(server, tmp_path)
    assert server.time.slept == []


def test_being_sent_elsewhere_is_told_not_followed(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [(r"\$everything", httpx.Response(302, headers={"location": "https://login.example/?x=1"}))]
    with pytest.raises(UnreadableInput, match="elsewhere") as error:
        fetched(server, tmp_path)
    assert error.value.why == "to https://login.example/"


def test_ids_in_the_words_of_a_search_are_not_in_errors(tmp_path: Path) -> None:
    server = server_with(everything=False)
    server.faults = [("/Observation", answer(outcome("error", "no scope"), 403))]
    with pytest.raises(UnreadableInput) as error:
        fetched(server, tmp_path)
    assert "ada" not in str(error.value)


def test_an_endless_answer_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leuko.service.fhir.client.talk._MOST_BYTES", 1000)
    with pytest.raises(UnreadableInput, match="too long"):
        fetched(server_with(), tmp_path)


# ---- bulk export ----------------------------------------------------------------------------------------------------


def test_an_export_is_waited_for_fetched_and_tidied_up(tmp_path: Path) -> None:
    server = server_with(login=True)
    server.not_ready = 3
    done = exported(server, tmp_path)
    assert done.resources == {"Patient": 1, "Observation": 5}
    assert values(tmp_path) == ALL
    assert server.time.slept == [7, 7, 7]
    assert server.deleted == 1
    (kick_off,) = [line for line in server.asked if "$export" in line]
    assert "_type=Patient,Observation,Condition,MedicationRequest&" in kick_off


def test_a_token_that_ends_during_a_long_export_is_renewed(tmp_path: Path) -> None:
    server = server_with(login=True, token_seconds=20)
    server.not_ready = 10
    exported(server, tmp_path)
    assert values(tmp_path) == ALL
    assert server.times("POST") > 2


def test_a_file_that_came_in_half_is_fetched_again(tmp_path: Path) -> None:
    server = server_with()
    cut = "\n".join(json.dumps(one) for one in RECORD[1:4])
    server.faults = [
        ("file/Patient", httpx.Response(200, content=json.dumps(RECORD[0])[:40])),
        ("file/Observation", httpx.Response(200, content=cut)),
    ]
    exported(server, tmp_path)
    assert values(tmp_path) == ALL


@pytest.mark.parametrize("content", [json.dumps(RECORD[1]), '{"resourceType": "Obs', "[]"])
def test_a_file_that_stays_half_ends_the_fetch(tmp_path: Path, content: str) -> None:
    server = server_with()
    server.faults = [("file/Observation", httpx.Response(200, content=content)) for _ in range(2)]
    with pytest.raises(UnreadableInput, match="not whole"):
        exported(server, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["out.part"]
    assert server.deleted == 0


def test_problems_that_the_server_had_are_told_and_travel_with_the_data(tmp_path: Path) -> None:
    server = server_with(*RECORD, outcome("error", "3 people could not be read") | {"id": "x"})
    server.manifest = {
        "output": [{"type": kind, "url": f"{BASE}/file/{kind}"} for kind in ("Patient", "Observation")],
        "error": [{"type": "OperationOutcome", "url": f"{BASE}/file/OperationOutcome"}],
    }
    done = exported(server, tmp_path)
    assert "the server reported 1 problems with the export" in done.troubles
    assert values(tmp_path) == ALL
    assert "LK405" in {notice.code for notice in leuko.read(tmp_path / "out").notices}


def test_an_export_that_fails_is_told(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("GET.*export/1", answer(outcome("error", "the disk is full"), 500))]
    with pytest.raises(UnreadableInput, match="export failed") as error:
        exported(server, tmp_path)
    assert "the disk is full" in error.value.why
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    server = server_with()
    server.not_ready = 10**9
    with pytest.raises(UnreadableInput, match="not ready after 60 minutes"):
        exported(server, tmp_path)
    assert not (tmp_path / "out").exists()
    server.not_ready = 0
    exported(server, tmp_path)
    assert (server.times("$export"), server.deleted) == (1, 1)


@pytest.mark.parametrize(
    "manifest",
    [
        {"output": [{"type": "Observation", "url": "https://evil.example/x"}]},
        {"link": [{"relation": "next", "url": f"{BASE}/export/1"}]},
        {"output": "x"},
    ],
)
def test_a_list_of_files_that_leads_astray_is_refused(tmp_path: Path, manifest: dict[str, Any]) -> None:
    server = server_with(login=True)
    server.manifest = manifest
    with pytest.raises(UnreadableInput):
        exported(server, tmp_path)
    assert not any("evil" in line for line in server.asked)
    assert list(tmp_path.iterdir()) == []


def test_files_that_need_no_token_are_fetched_without_one(tmp_path: Path) -> None:
    server = server_with(login=True)
    server.manifest = {
        "requiresAccessToken": False,
        "output": [{"type": "../../Observation", "url": "https://files.example/signed?x=1"}],
    }
    seen: list[httpx.Headers] = []

    def file(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, content="".join(json.dumps(one) + "\n" for one in RECORD))

    server.faults = [("files.example", file)]
    exported(server, tmp_path)
    assert "authorization" not in seen[0]
    assert values(tmp_path) == ALL
    assert [path.name for path in (tmp_path / "out").glob("Resource*")] == ["Resource-0001.ndjson"]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("all", "/Patient/$export"),
        ("system", "/$export"),
        ("g1", "/Group/g1/$export"),
        ("Group/g1", "/Group/g1/$export"),
    ],
)
def test_what_is_exported_is_named_shortly(words: str, path: str) -> None:
    assert scope_of(words) == path


# ---- keys and addresses ---------------------------------------------------------------------------------------------


def pem(private: Any, **more: Any) -> bytes:
    encryption = more.get("encryption", NoEncryption())
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def test_a_key_is_read_as_pem_or_jwk_and_named_by_itself(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_bytes(pem(EC))
    own = json.loads(str(ECAlgorithm.to_jwk(EC)))
    (tmp_path / "k.jwk").write_text(json.dumps(own | {"kid": "mine", "alg": "ES384"}))
    (tmp_path / "k.jwks").write_text(json.dumps({"keys": [own]}))
    by_pem, by_jwk, by_set = (read_key(tmp_path / f"k.{end}") for end in ("pem", "jwk", "jwks"))
    assert {one.algorithm for one in (by_pem, by_jwk, by_set)} == {"ES384"}
    assert by_jwk.kid == "mine"
    assert by_pem.kid == by_set.kid
    assert len(by_pem.kid) == 43
    assert read_key(tmp_path / "k.pem", kid="other").kid == "other"
    assert "d" not in by_pem.public()


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of RFC 7638, section 3.1, by its public half."""
    from leuko.service.fhir.client import key as module

    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1"
        "n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    made = {"kty": "RSA", "n": n, "e": "AQAB"}
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_public", lambda _: made)
        assert module._thumbprint(private) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (lambda: b"", "no private key"),
        (lambda: b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", "no private key"),
        (lambda: b"{", "no private key"),
        (lambda: b'{"kty":"EC"}', "no private key"),
        (lambda: pem(EC, encryption=BestAvailableEncryption(b"x")), "encrypted"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "P-384"),
        (lambda: pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "2048"),  # noqa: S505 (refused)
        (lambda: pem(ed25519.Ed25519PrivateKey.generate()), "P-384"),
    ],
)
def test_a_key_that_cannot_be_used_is_explained(tmp_path: Path, content: Callable[[], bytes], why: str) -> None:
    (tmp_path / "k").write_bytes(content())
    with pytest.raises((UnreadableInput, UsageError)) as error:
        read_key(tmp_path / "k")
    assert why in error.value.why


@pytest.mark.parametrize(
    "base",
    ["ehr.example/fhir", "ftp://ehr.example", "http://ehr.example/fhir", "https://a:b@ehr.example", "https://x/?y"],
)
def test_an_address_that_is_none_or_not_safe_is_refused(base: str) -> None:
    with pytest.raises(UsageError):
        checked_base(base)


def test_addresses_of_this_machine_need_no_tls() -> None:
    assert checked_base("http://127.0.0.1:8080/fhir/") == "http://127.0.0.1:8080/fhir"
    assert checked_base("http://ehr.example/fhir", network_without_tls=True) == "http://ehr.example/fhir"


@pytest.mark.parametrize("text", ["", "a/b", "a?b", "../x", "Patient/", "a" * 65, "ä"])
def test_an_id_that_can_be_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        patient_id(text)


# ---- the command ----------------------------------------------------------------------------------------------------


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def test_fetched_by_the_command_assessed_by_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "k.pem"
    key.write_bytes(pem(EC))
    names = ["--client-id", "leuko", "--key", key]

    def made(base: str) -> FakeServer:
        time = Time()
        time.at = datetime.now(UTC)
        return FakeServer(time=time, resources=RECORD, public=EC.public_key(), base=base, everything=False)

    with served(made) as server:
        server.not_ready = 0
        assert run("fetch", server.base, "--patient", "Patient/ada", *names, "--out", tmp_path / "ada") == 0
        told = capsys.readouterr().err
        assert "5 Observation, 1 Patient" in told
        assert "may be incomplete: the server has no" in told
        assert run("fetch", server.base, "--patient", "ada", *names, "--out", tmp_path / "a2", "--strict") == 4
        assert run("fetch", server.base, "--export", "all", *names, "--out", tmp_path / "all") == 0
        assert run("fetch", server.base, "--patient", "eve", *names, "--out", tmp_path / "eve") == 3
        assert run("fetch", server.base, "--patient", "ada", "--out", tmp_path / "none") == 3
    assert not (tmp_path / "eve").exists()
    capsys.readouterr()
    for folder in ("ada", "all"):
        assert run("assess", tmp_path / folder, "--as-of", "2026-01-11", "--json", "-") == 0
        assert json.loads(capsys.readouterr().out)["headline"].startswith("Moderate neutropenia: Neutrophils 0.8")
    assert run("cohort", tmp_path / "all", "--out", tmp_path / "found", "--quiet", "--format", "csv") == 0
    assert (tmp_path / "found" / "summary.json").exists()


def test_the_public_half_is_printed_for_the_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "k.pem").write_bytes(pem(EC))
    assert run("fetch", "--key", tmp_path / "k.pem", "--jwks") == 0
    (made,) = json.loads(capsys.readouterr().out)["keys"]
    assert (made["kty"], made["crv"], made["alg"], "d" in made) == ("EC", "P-384", "ES384", False)


@pytest.mark.parametrize(
    "words",
    [
        [],
        [BASE],
        [BASE, "--patient", "ada"],
        [BASE, "--out", "x"],
        [BASE, "--patient", "ada", "--export", "all", "--out", "x"],
        [BASE, "--patient", "a/b", "--out", "x"],
        [BASE, "--export", "a/b/c", "--out", "x"],
        [BASE, "--patient", "ada", "--client-id", "leuko", "--out", "x"],
        ["--jwks"],
        ["http://ehr.example", "--patient", "ada", "--out", "x"],
    ],
)
def test_words_that_make_no_sense_are_explained(words: list[str]) -> None:
    assert run("fetch", *words) == 2


def test_a_folder_that_is_not_empty_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        fetched(server_with(), tmp_path)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_the_limit_of_pages_is_far_above_a_person_s() -> None:
    assert pages._MOST_PAGES >= 10_000
