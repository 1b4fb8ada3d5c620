"""Cleaning loses nothing, depends on no order of files, and never joins draws."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from fixtures.blood import LIBRARY, at, count, on, record
from leuko.counts import clean
from leuko.record import Count

ANALYTES = [
    "wbc", "neutrophils", "neutrophils_percent", "segments_percent", "bands_percent", "lymphocytes_percent",
    "lymphocytes", "granulocytes", "nrbc_per_100_wbc", "wbc_corrected", "platelets",
]  # fmt: skip
TIMES = [at(0), at(0.5), at(24), on(2026, 1, 5), on(2026, 1, 6), None]


@st.composite
def records(draw: st.DrawFn) -> tuple[Count, ...]:
    number = draw(st.integers(1, 8))
    return tuple(
        count(
            draw(st.sampled_from(ANALYTES)),
            draw(st.sampled_from([0.0, 0.4, 0.5, 2.0, 30.0, 60.0, -1.0])),
            id=f"c{index}",
            line=index,
            bound=draw(st.sampled_from(["=", "=", "=", "<", "<=", ">"])),
            taken=draw(st.sampled_from(TIMES)),
            draw=draw(st.sampled_from([None, "A", "B"])),
            status=draw(st.sampled_from(["final", "preliminary", "corrected"])),
            issued=draw(st.sampled_from([None, at(1), at(2)])),
            method=draw(st.sampled_from([None, "manual", "automated"])),
        )
        for index in range(number)
    )


@given(records())
def test_every_count_is_used_or_set_aside_with_a_notice(counts: tuple[Count, ...]) -> None:
    result = clean(record(*counts), library=LIBRARY, as_of=date(2026, 1, 5))
    used = [found.id for series in result.series.values() for found in series if not found.id.startswith("derived")]
    aside = [found.count.id for found in result.set_aside if not found.count.id.startswith("derived")]
    assert sorted([*used, *aside]) == sorted(found.id for found in counts)
    assert all(found.notice in result.notices for found in result.set_aside)


@given(records(), st.randoms())
def test_the_order_of_the_files_decides_nothing(counts: tuple[Count, ...], random) -> None:
    shuffled = list(counts)
    random.shuffle(shuffled)
    one, other = (clean(record(*order), library=LIBRARY) for order in (counts, shuffled))
    assert {name: [(c.value, c.bound) for c in series] for name, series in one.series.items()} == {
        name: [(c.value, c.bound) for c in series] for name, series in other.series.items()
    }


@given(records())
def test_a_derived_count_says_what_it_rests_on_and_rests_on_one_time(counts: tuple[Count, ...]) -> None:
    result = clean(record(*counts), library=LIBRARY)
    by_id = {found.id: found for found in counts}
    for series in result.series.values():
        assert [found.taken.at for found in series] == sorted(found.taken.at for found in series)
        for found in series:
            if found.kind == "derived":
                assert found.derived_from
                assert found.derivation
                parts = [by_id[name] for name in found.derived_from if name in by_id]
                assert len({part.taken.day for part in parts}) <= 1
