"""What is shipped to run the service is understood by what reads it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from leuko.service.http.settings import HttpSettings
from leuko.service.serve import MllpSettings, Settings
from leuko.service.settings import read_settings

PACKAGING = Path(__file__).parents[3] / "packaging"


def test_the_shipped_settings_are_those_that_hold_where_a_line_is_left_out(tmp_path: Path) -> None:
    settings = read_settings(PACKAGING / "leuko.toml")
    own = Settings(
        store="/var/lib/leuko/leuko.sqlite",
        mllp=MllpSettings(host="127.0.0.1", port=2575),
        http=HttpSettings(parts={"hooks": {}, "fhir": {}, "web": {}}),
        zone=settings.zone,
    )
    assert (settings, str(settings.zone)) == (own, "UTC")


def test_what_the_shipped_settings_leave_out_is_understood_too(tmp_path: Path) -> None:
    lines = (PACKAGING / "leuko.toml").read_text("utf-8").splitlines()[3:]
    text = "\n".join(re.sub(r"^# ", "", line) for line in lines).replace("/run/secrets/oidc", str(tmp_path / "oidc"))
    (tmp_path / "oidc").write_text("secret")
    (tmp_path / "leuko.toml").write_text(text)
    settings = read_settings(tmp_path / "leuko.toml")
    assert settings.http is not None
    assert settings.http.oidc is not None
    assert settings.http.oidc.roles["leuko-admins"] == "admin"
    assert settings.http.part("hooks")["ehr"][0]["issuer"] == "https://ehr.hospital.example"
    assert tomllib.loads(text)["mllp"]["clients"]


@pytest.mark.parametrize("unit", ["leuko.service", "leuko-backup.service", "leuko-backup.timer"])
def test_the_units_are_understood_by_systemd(unit: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    text = (PACKAGING / unit).read_text("utf-8").replace("/opt/leuko/bin/leuko", "/bin/true")
    for name in ("leuko.service", "leuko-backup.service"):
        (tmp_path / name).write_text("[Service]\nExecStart=/bin/true\n")
    (tmp_path / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if unit in line]
    assert not complaints
