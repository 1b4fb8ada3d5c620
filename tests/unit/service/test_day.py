"""The day of an assessment: today here, or already there; never one that keeps a result of today out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixtures.hl7 import counts, message, msh, obr, obx, pid
from fixtures.hooks import anc, desk
from leuko.record import Count
from leuko.service.day import day_of
from leuko.service.store import open_store

NOW = datetime(2026, 1, 10, 23, 30, tzinfo=UTC)


def drawn(taken: str) -> Sequence[Count]:
    return counts(message(msh(), pid(), obr(taken=taken), obx("0.3")))


@pytest.mark.parametrize(
    ("taken", "day"),
    [
        ("20251231", 10),
        ("20260110233000+0000", 10),
        ("20260111002500+0100", 11),
        ("20260111", 11),
        ("20260111233000+0000", 11),
        ("20260111233001+0000", 10),  # more than a day ahead
        ("2026", 10),
    ],
)
def test_the_day_is_that_of_the_latest_count_a_clock_may_have_ahead(taken: str, day: int) -> None:
    assert day_of(drawn(taken), now=NOW, zone=UTC) == date(2026, 1, day)


def test_the_day_here_is_that_of_the_zone() -> None:
    assert day_of((), now=NOW, zone=UTC) == date(2026, 1, 10)
    assert day_of((), now=NOW, zone=ZoneInfo("Europe/Berlin")) == date(2026, 1, 11)


def test_a_hook_knows_a_count_that_is_past_midnight_where_it_was_drawn(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite")
    with desk(store, forecasts=False) as ehr:
        cards = ehr.cards(anc(0.3, effectiveDateTime="2024-03-03T00:30:00+14:00"))
    store.close()
    assert any("0.3" in card["summary"] + card.get("detail", "") for card in cards)
