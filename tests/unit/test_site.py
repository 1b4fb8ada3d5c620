from __future__ import annotations

from pathlib import Path

import pytest

from leuko.errors import UnreadableInput, UsageError
from leuko.site import SiteSettings, read_site, site_of

WHOLE = """
name = "Day unit"
language = "de"
fever_limit = 38
fever_limit_child = 38.5
low_limit = 36.0
bodies = ["ESMO", "IDSA"]
[phones]
helpline = " +49 30 1234567 "
emergency = "112"
doctor = ""
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(WHOLE, encoding="utf-8")
    site = read_site(path)
    assert (site.name, site.language, site.fever_limit, site.fever_limit_child) == ("Day unit", "de", 38.0, 38.5)
    assert site.bodies == ("ESMO", "IDSA")
    assert dict(site.phones) == {"helpline": "+49 30 1234567", "emergency": "112"}, "an empty number is none"
    assert site.source == str(path)


def test_an_empty_file_leaves_everything_to_leuko(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("", encoding="utf-8")
    assert read_site(path) == SiteSettings(source=str(path))


@pytest.mark.parametrize(
    ("table", "said", "do"),
    [
        ({"fever_limt": 38}, "'fever_limt'", "fever_limit"),
        ({"fever_limit": "38"}, "number of degrees", "fever_limit = 38.0"),
        ({"fever_limit": True}, "number of degrees", "fever_limit = 38.0"),
        ({"language": 1}, "language must be text", "language ="),
        ({"bodies": "ESMO"}, "list of names", "bodies ="),
        ({"phones": "112"}, "must be a table", "[phones]"),
        ({"phones": {"helpine": "1"}}, "'helpine'", "helpline"),
        ({"phones": {"emergency": 112}}, "must be text", 'emergency = "112"'),
        ({"phones": {"emergency": "ask"}}, "no digit", "blank line"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(table: dict, said: str, do: str) -> None:
    with pytest.raises(UsageError) as caught:
        site_of(table, source="ward.toml")
    assert said in caught.value.what
    assert caught.value.where == "ward.toml"
    assert do in caught.value.do


def test_what_is_no_toml_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text("fever_limit = ", encoding="utf-8")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_site(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not valid TOML"):
        read_site(path)
    with pytest.raises(UnreadableInput, match="cannot be read"):
        read_site(tmp_path / "none.toml")
