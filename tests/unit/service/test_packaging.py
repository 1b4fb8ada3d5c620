"""What is shipped to run the service is understood by what reads it."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("unit", ["leuko.service", "leuko-backup.service"])
def test_the_units_leave_little_of_the_machine_open(unit: str) -> None:
    """The exposure by systemd's own measure, times ten: a hardening line that is lost raises it."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not on this machine")
    words = [program, "security", "--offline=true", "--threshold=20", "--no-pager", str(PACKAGING / unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "unrecognized option" in done.stderr or "Failed to" in done.stderr:
        pytest.skip(f"this systemd-analyze cannot look at a unit offline: {done.stderr.strip()[:100]}")
    assert done.returncode == 0, done.stdout


def test_the_image_runs_what_the_package_has() -> None:
    """What scripts/try-container builds and runs where buildah is; this much can be seen without it."""
    lines = (PACKAGING / "Containerfile").read_text("utf-8").splitlines()
    said = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in lines if line and not line.startswith(("#", " "))}
    assert said["ENTRYPOINT"] == '["leuko"]'
    assert json.loads(said["CMD"])[:2] == ["serve", "--settings"]
    assert said["USER"] == "leuko"
    extras = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = re.findall(r"--extra (\S+)", "\n".join(lines))
    assert asked
    assert set(asked) <= set(extras)
    for name in next(line for line in lines if line.startswith("COPY pyproject")).split()[1:-1]:
        assert (PACKAGING.parent / name).exists()
