from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from fixtures.assessments import bare, rich
from fixtures.golden import check
from leuko.report.outline import all_gaps, episode_words
from leuko.report.sketch import sketch
from leuko.report.terminal import render, show

ANSI = re.compile(r"\x1b\[")


@pytest.mark.parametrize(("name", "make"), [("rich", rich), ("bare", bare)])
def test_the_text_is_the_one_somebody_looked_at(name, make):
    check(f"terminal-{name}.txt", render(make()))


@pytest.mark.parametrize("width", [50, 64, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    for line in render(rich(), width=width).splitlines():
        assert cell_len(line) <= width, line
        assert line == line.rstrip()


def test_the_headline_comes_first_and_the_purpose_last():
    lines = render(rich(), width=200).splitlines()
    assert lines[0] == rich().headline
    assert "no medical device" in lines[-2]
    assert "as of 2026-02-26" in lines[-1]


def test_plain_text_has_no_colour_and_colour_adds_only_colour():
    plain, coloured = render(rich()), render(rich(), color=True)
    assert not ANSI.search(plain)
    assert ANSI.search(coloured)
    without = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert without == plain.rstrip("\n")


def test_no_color_is_kept_in_a_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    show(rich(), console)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", console.file.getvalue())


def test_what_goes_into_a_pipe_is_plain_and_80_wide(monkeypatch):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    show(rich())
    assert pipe.getvalue() == render(rich())


def test_floating_point_noise_is_never_printed():
    assert "0.9199" not in render(rich())
    assert "0.92" in render(rich())


def test_every_gap_and_every_kind_of_notice_is_there():
    text = " ".join(render(rich(), full=True).split())
    for gap in all_gaps(rich()):
        assert gap.what in text
        assert gap.settle in text
    for code in {notice.code for notice in rich().notices} | {aside.notice.code for aside in rich().set_aside}:
        assert code in text
    assert "and 3 more LK301" in text


@pytest.mark.parametrize("sign", ["\x1b[2J", "\r", "\x07", "\x9b31m", "\u202e", "\u2066"])
def test_text_from_outside_cannot_repaint_the_terminal(sign):
    evil = f"[bold red]x[/] :smile: {sign}y"
    latest = replace(rich().latest[0], label=evil)
    notice = replace(rich().notices[0], text=evil, help=evil)
    text = render(replace(rich(), headline=evil, latest=(latest,), notices=(notice,)))
    assert text.startswith("[bold red]x[/] :smile: \ufffd")
    assert sign[0] not in text


def test_the_sketch_needs_three_counts_and_room():
    assert sketch(bare(), "neutrophils") == ""
    assert sketch(rich(), "neutrophils", width=20) == ""
    drawn = sketch(rich(), "neutrophils", width=70)
    assert all(sign in drawn for sign in "●○▽■")
    assert max(map(cell_len, drawn.splitlines())) <= 70


def test_cuts_of_which_the_same_is_known_share_one_line():
    episode = rich().courses[0].episodes[-1]
    first = replace(episode.days_below[0], cut=1.5, least=0, most=None)
    days = (first, replace(first, cut=1), replace(first, cut=0.5, least=2))
    facts = episode_words(replace(episode, days_below=days), 1, "Neutrophils").facts
    assert [told for name, told in facts if name == "Days"] == [
        "below 1.5 and 1 ×10⁹/L, each: at least 0 days, no upper limit",
        "below 0.5 ×10⁹/L: at least 2 days, no upper limit",
    ]
