"""`leuko demo --web` as a person starts it: a link is printed, opens once, and nothing stays when it ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

SECONDS = 120  # on a machine that does much else


def started(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "leuko", "demo", "--web"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )


def test_the_demo_prints_a_link_that_opens_once_and_leaves_nothing(tmp_path):
    running = started(tmp_path)
    try:
        link = None
        for line in running.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+/enter/\S+", line):
                link = found[0]
            if "Ctrl-C" in line:
                break
        assert link, "no link was printed"
        assert [each.name for each in tmp_path.iterdir()], "the store lies in the folder for such things"
        with httpx.Client(follow_redirects=True, timeout=SECONDS) as client:
            page = client.get(link)
            assert page.status_code == 200
            assert "Who needs somebody first" in page.text
            assert page.text.index("chemotherapy-fever") < page.text.index("example-child")
        assert httpx.get(link, timeout=SECONDS).status_code == 403
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=SECONDS)
    assert running.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--web", "--json", "-"], ["--port", "8080"]])
def test_options_that_do_not_belong_together_are_refused(options):
    done = subprocess.run(
        [sys.executable, "-m", "leuko", "demo", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--web" in done.stderr
