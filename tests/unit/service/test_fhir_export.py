"""An export that breaks off is gone on with: nothing that is whole is fetched twice, nothing of another export kept."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import leuko
from fixtures.fhir_server import BASE, FakeServer, Json, Time, answer, neutrophils, outcome, patient, served
from leuko.errors import UnreadableInput, UsageError
from leuko.service.fhir.client.bulk import Question, question
from leuko.service.fhir.client.folder import Fetched, fetch_export
from leuko.service.fhir.client.journal import NAME, Journal
from leuko.service.fhir.client.talk import Talk

RECORD = [patient(), *[neutrophils((n + 4) / 10, name=f"o{n}", day=f"2026-01-0{n + 1}") for n in range(5)]]
ALL = [0.4, 0.5, 0.6, 0.7, 0.8]


def server_with(**more: Any) -> FakeServer:
    return FakeServer(time=Time(), resources=list(RECORD), not_ready=0, **more)


def exported(server: FakeServer, folder: Path, asked: Question | None = None, *, anew: bool = False) -> Fetched:
    said: list[str] = []
    client = httpx.Client(transport=httpx.MockTransport(server))
    talk = Talk(server.base, client=client, now=server.time.now, sleep=server.time.sleep, say=said.append)
    asked = asked or question("all")
    return fetch_export(talk, asked, folder / "out", patience=timedelta(hours=1), anew=anew)


def broken_off(server: FakeServer, folder: Path, asked: Question | None = None) -> None:
    """An export of which the patients came, and then the server was gone."""
    server.faults = [("file/Observation", httpx.ConnectError("refused")) for _ in range(6)]
    with pytest.raises(UnreadableInput, match="does not answer"):
        exported(server, folder, asked)
    assert [path.name for path in folder.iterdir()] == ["out.part"]
    server.asked.clear()


def values(folder: Path) -> list[float]:
    (record,) = leuko.read(folder / "out").records
    return sorted(count.value for count in record.counts)


def codes(folder: Path) -> set[str]:
    return {notice.code for notice in leuko.read(folder).notices}


def test_what_is_there_and_whole_is_not_fetched_again(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    assert (tmp_path / "out.part").stat().st_mode & 0o077 == 0
    done = exported(server, tmp_path)
    assert (server.times("$export"), server.times("file/Patient"), server.times("file/Observation")) == (0, 0, 1)
    assert (done.resources, values(tmp_path)) == ({"Patient": 1, "Observation": 5}, ALL)
    assert done.time == "2026-01-11T12:00:00Z"
    assert server.deleted == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / NAME).exists()


def test_a_part_that_is_read_all_the_same_says_that_it_is_one(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    notices = leuko.read(tmp_path / "out.part").notices
    assert any(one.code == "LK405" and "not fetched to its end" in one.text for one in notices)
    exported(server, tmp_path)
    assert not any("not fetched to its end" in one.text for one in leuko.read(tmp_path / "out").notices)


def test_a_file_that_changed_since_is_fetched_again(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    (file,) = (tmp_path / "out.part").glob("Patient-*")
    file.write_bytes(file.read_bytes()[:-9])
    exported(server, tmp_path)
    assert server.times("file/Patient") == 1
    assert values(tmp_path) == ALL
    assert len(list((tmp_path / "out").glob("Patient-*"))) == 1


def test_a_line_that_broke_off_counts_for_nothing(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    journal = tmp_path / "out.part" / NAME
    journal.write_bytes(journal.read_bytes()[:-20])
    exported(server, tmp_path)
    assert server.times("file/Patient") == 1
    assert (values(tmp_path), len(list((tmp_path / "out").glob("Patient-*")))) == (ALL, 1)


def test_an_export_that_the_server_let_go_is_asked_for_anew_and_nothing_is_mixed(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    server.faults = [("GET.*export/1", answer(outcome(), 404))]
    exported(server, tmp_path)
    assert (server.times("$export"), server.times("file/Patient"), server.times("file/Observation")) == (1, 1, 1)
    assert values(tmp_path) == ALL


def test_an_export_that_was_made_again_does_not_go_with_the_files_of_the_first(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    server.manifest = {"transactionTime": "2026-01-12T12:00:00Z"}
    done = exported(server, tmp_path)
    assert (done.time, server.times("file/Patient")) == ("2026-01-12T12:00:00Z", 1)


def test_links_that_ended_are_asked_for_again(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("file/Observation", answer(outcome("error", "expired"), 403))]
    exported(server, tmp_path)
    assert (server.times("GET /export/1"), server.times("file/Patient"), server.times("file/Observation")) == (2, 1, 2)
    assert values(tmp_path) == ALL


def test_links_that_stay_ended_are_told(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("file/Observation", answer(outcome("error", "no scope"), 403)) for _ in range(9)]
    with pytest.raises(UnreadableInput, match="403"):
        exported(server, tmp_path)
    assert server.times("$export") == 1


def test_files_that_are_gone_for_good_end_it_after_one_more_export(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("file/Observation", answer(outcome("error", "gone"), 410)) for _ in range(9)]
    with pytest.raises(UnreadableInput, match="410"):
        exported(server, tmp_path)
    assert server.times("$export") == 2
    assert list(tmp_path.iterdir()) == []
    assert server.deleted == 2


def signed(server: FakeServer, **files: list[Json]) -> None:
    """Let the lists name files by links that are signed anew each time, or that only their query tells apart."""
    made = 0

    def listed(_: httpx.Request) -> httpx.Response:
        nonlocal made
        made += 1
        output = [
            {"type": one[0]["resourceType"], "url": f"{BASE}/file/{name.partition('_')[0]}?part={name}&sign={made}"}
            for name, one in files.items()
        ]
        return answer({"transactionTime": "2026-01-11T12:00:00Z", "requiresAccessToken": True, "output": output})

    def file(request: httpx.Request) -> httpx.Response:
        lines = files[request.url.params["part"]]
        return httpx.Response(200, content="".join(json.dumps(one) + "\n" for one in lines))

    server.faults += [("GET.*export/1", listed) for _ in range(9)]
    server.faults += [("GET.*/file/", file) for _ in range(40)]


def test_links_that_are_signed_anew_lead_to_what_is_there_already(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [("file/b", httpx.ConnectError("refused")) for _ in range(6)]
    signed(server, a=RECORD[:1], b=RECORD[1:])
    with pytest.raises(UnreadableInput):
        exported(server, tmp_path)
    exported(server, tmp_path)
    assert (server.times("part=a"), server.times("part=b")) == (1, 7)
    assert values(tmp_path) == ALL


def test_files_that_only_the_query_tells_apart_are_all_fetched(tmp_path: Path) -> None:
    """One of them must never pass for another: that would lose results without a word."""
    server = server_with()
    server.faults = [("part=x_3", httpx.ConnectError("refused")) for _ in range(6)]
    signed(server, p=RECORD[:1], x_1=RECORD[1:3], x_2=RECORD[3:5], x_3=RECORD[5:])
    with pytest.raises(UnreadableInput):
        exported(server, tmp_path)
    exported(server, tmp_path)
    assert values(tmp_path) == ALL


def test_a_busy_server_is_waited_for_as_long_as_it_says(tmp_path: Path) -> None:
    server = server_with()
    server.faults = [
        ("GET.*export/1", httpx.Response(429, headers={"retry-after": "600"})),
        ("file/Observation", httpx.Response(503, headers={"retry-after": "900"})),
    ]
    exported(server, tmp_path)
    assert server.time.slept == [600, 900]
    assert values(tmp_path) == ALL


def test_what_changed_since_and_some_kinds_are_asked_for_and_told(tmp_path: Path) -> None:
    server = server_with()
    asked = question("all", ["Observation,Patient"], "2026-01-10T00:00:00+01:00")
    exported(server, tmp_path, asked)
    (kick_off,) = [line for line in server.asked if "$export" in line]
    assert "_type=Patient,Observation&" in kick_off
    assert "_since=2026-01-10T00:00:00%2B01:00" in kick_off
    told = [one.text for one in leuko.read(tmp_path / "out").notices if one.code == "LK405"]
    assert any("only what changed since 2026-01-10T00:00:00+01:00 was asked for" in words for words in told)
    assert any("only Patient, Observation was asked for" in words for words in told)


def test_resources_that_were_deleted_are_told(tmp_path: Path) -> None:
    server = server_with(manifest={"deleted": [{"type": "Bundle", "url": f"{BASE}/file/Bundle"}]})
    done = exported(server, tmp_path, question("all", since="2026-01-10T00:00:00Z"))
    assert any("deleted since" in words for words in done.troubles)


@pytest.mark.parametrize(
    ("types", "since"),
    [(["Observation", "Patint"], ""), ([""], ""), ([], "yesterday"), ([], "2026-01-10"), ([], "2026-01-10T00:00:00")],
)
def test_a_question_that_makes_no_sense_is_explained(types: list[str], since: str) -> None:
    with pytest.raises(UsageError):
        question("all", types, since)


def test_another_question_does_not_go_on_with_the_export_that_lies_there(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    server.faults = []
    other = question("all", ["Observation"])
    with pytest.raises(UsageError, match="another export"):
        exported(server, tmp_path, other)
    assert server.asked == []
    exported(server, tmp_path, other, anew=True)
    assert (server.times("$export"), server.deleted) == (1, 2)


def test_two_fetches_do_not_work_in_one_folder(tmp_path: Path) -> None:
    server = server_with()
    broken_off(server, tmp_path)
    held = Journal(tmp_path / "out.part")
    with pytest.raises(UsageError, match="another fetch is at work"):
        exported(server, tmp_path)
    held.close()
    exported(server, tmp_path)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_and_called_again_it_brings_everything_once(tmp_path: Path, after: int) -> None:
    """Kill -9 while the n-th file is on its way."""
    record = [patient(), *RECORD[1:], *[{"resourceType": "Condition", "id": f"c{n}"} for n in range(3)]]

    def made(base: str) -> FakeServer:
        clock = Time()
        clock.at = datetime.now(UTC)
        return FakeServer(time=clock, resources=list(record), base=base, not_ready=0)

    with served(made) as server:
        command = [sys.executable, "-m", "leuko", "fetch", server.base, "--export", "all", "--out", tmp_path / "out"]
        kinds = ("Patient", "Observation", "Condition")
        killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)

        def hang(_: httpx.Request) -> httpx.Response:
            killed.send_signal(signal.SIGKILL)
            killed.wait(30)
            return httpx.Response(200)

        server.faults = [(f"file/{kinds[after - 1]}", hang)]
        assert killed.wait(60) == -signal.SIGKILL
        time.sleep(0.2)
        assert not (tmp_path / "out").exists()
        assert subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0
        fetched = [re.sub(r"\D*file/", "", line) for line in server.asked if "file/" in line]
    expected = list(kinds)
    expected.insert(after, kinds[after - 1])
    assert fetched == expected
    assert values(tmp_path) == ALL
