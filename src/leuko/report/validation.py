"""How `leuko validate` is shown: text for the terminal, Markdown for the documentation, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec

from leuko import __version__
from leuko.forecast.score.alarm import FALSE_ALARM
from leuko.forecast.score.monitored import Foretold, Recovered
from leuko.forecast.score.paired import Paired
from leuko.forecast.score.published import Checked
from leuko.forecast.score.real import Judged
from leuko.forecast.score.refit import Refitted
from leuko.forecast.score.rules import Score
from leuko.forecast.score.validation import Calibrated, Validation

Rows = Sequence[Sequence[str]]

_CHECKS = ("model", "what", "dose", "expected", "found", "verdict", "from", "why")
_CALIBRATION = ("model", "design", "quantity", "people", "50 %", "80 %", "95 %", "uniform p", "draws worth", "verdict")
_SCORES = ("forecaster", "forecasts", "log-RMSE", "MAE", "CRPS log", "CRPS", "50 %", "80 %", "95 %", "Brier")

_RULE = (
    "seed {}; each quantity is tested four times (three coverages, even ranks) and holds where, of all tests of the run"
    " together (Holm), none has a probability below {:g}, or where twice as many fresh people do not show it again"
)
_FORETOLD = ("days before", "people who fall", "foretold", "people who do not", "spared")
_FORETOLD_TITLE = "Falls foretold: {} ({} people made by the model)"
_RECOVERED = ("counts up to day", "people not back yet", "middle error [d]", "within a day", "in the central 80 %")
_RECOVERED_TITLE = "Day of recovery foretold: {}"
_POOLED = ("quantity", "mean", "5 %", "95 %", "agreement of chains")
_SPLIT = (
    "a count is told from the counts and doses before it alone; what is learned is learned on one half of the people"
    " (every other one of their sorted names) and judged on the other, and back; what is shipped is not learned here"
)
_PAIRED = ("first", "second", "loss", "first minus second", "first better in", "verdict")
_PAIRED_TITLE = "Whether a difference is more than chance: {}"
_REFIT = ("model", "parameter", "people", "made with", "learned", "standard error", "their refit")


def as_json(found: Validation) -> str:
    """Everything, as JSON."""
    return msgspec.json.format(msgspec.json.encode({"holds": found.holds, **msgspec.to_builtins(found)})).decode()


def as_text(found: Validation) -> str:
    """Tables for a terminal."""
    from rich.console import Console  # noqa: PLC0415 (only the terminal needs it)
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=160)
    with console.capture() as kept:
        for title, heads, rows, notes in _tables(found):
            table = Table(*heads, title=title, title_justify="left")
            for row in rows:
                table.add_row(*row)
            console.print(table)
            console.print(*notes, sep="\n")
    return kept.get() + verdict(found)


def as_markdown(found: Validation) -> str:
    """The same tables in Markdown, as a page of the documentation."""
    sample = "a quick sample of everything" if found.quick else "everything"
    made = f"leuko {__version__}, seed {found.seed}, {sample}."
    lines = ["# How good the forecasts are", "", made, "", verdict(found), ""]
    for title, heads, rows, notes in _tables(found):
        lines += [f"## {title}", "", _line(heads), _line(["---"] * len(heads)), *(_line(row) for row in rows), ""]
        lines += [f"* {note}" for note in notes] + ([""] if notes else [])
    return "\n".join(lines)


def verdict(found: Validation) -> str:
    """The last sentence: every number that is missed, known or not, and every calibration that does not hold."""
    known = [_named(one) for one in found.checks if not one.passes and one.misses]
    missed = [_named(one) for one in found.checks if not one.holds]
    loose = [f"{one.model} {one.quantity} ({one.design})" for one in found.calibration if not one.holds]
    said = f"Misses: {'; '.join([*missed, *known]) or 'none'}"
    if known:
        said += f" ({'all' if not missed else len(known)} known, the table says why)"
    return f"{said}. Calibration: {'does not hold for ' + '; '.join(loose) if loose else 'holds'}."


def _named(one: Checked) -> str:
    return f"{one.model} {one.what} ({one.dose}): {one.found:.3g} instead of {_wanted(one)}"


def _wanted(one: Checked) -> str:
    if one.at_least:
        return f"≥ {one.expected - one.tolerance:.3g}"
    return f"{one.expected:.3g} ± {one.tolerance:.2g}"


def _tables(found: Validation) -> Iterable[tuple[str, Sequence[str], Rows, Sequence[str]]]:
    if found.checks:
        yield "Published numbers", _CHECKS, [_check(one) for one in found.checks], ()
    if found.calibration:
        yield (
            "Calibration on people made by the model",
            _CALIBRATION,
            [_calibrated(one) for one in found.calibration],
            (_RULE.format(found.seed, FALSE_ALARM),),
        )
    for study in found.monitored:
        yield (
            _FORETOLD_TITLE.format(study.title, study.people),
            _FORETOLD,
            [_foretold(one) for one in study.foretold],
            (),
        )
        rows = [_recovered(one) for one in study.recovered]
        yield _RECOVERED_TITLE.format(study.title), _RECOVERED, rows, ()
    if found.refitted:
        yield "Populations learned anew from people made by the model", _REFIT, [_refit(x) for x in found.refitted], ()
    if found.pooled:
        rows = [[x.name, *(f"{v:.4g}" for v in (x.mean, x.low, x.high)), f"{x.agreement:.3f}"] for x in found.pooled]
        yield "Posterior of a population from records of kinetics and counts", _POOLED, rows, ()
    if found.real is not None:
        yield from _real(found.real)


def _real(real: Judged) -> Iterable[tuple[str, Sequence[str], Rows, Sequence[str]]]:
    for horizon, scores in groupby(real.scores, key=lambda one: one.horizon):
        same = list(scores)
        title = f"Real counts of {real.people} people ({real.counts} counts, {real.source}): {horizon}"
        yield title, _SCORES, [_score(one) for one in same], [_SPLIT, *real.said, _base(same[0])]
        told = [one for one in real.paired if one.horizon == horizon]
        if told:
            yield _PAIRED_TITLE.format(horizon), _PAIRED, [_paired(one) for one in told], [_again(told)]


def _paired(one: Paired) -> list[str]:
    shown = f"{one.difference:+.4f} ({one.low:+.4f} to {one.high:+.4f})"
    who = "not told from chance" if not one.told else f"{one.first if one.high < 0.0 else one.second} is better"
    return [one.first, one.second, one.loss, shown, f"{one.better:.3f}", who]


def _again(told: Sequence[Paired]) -> str:
    """What the intervals are."""
    return (
        f"below 0 the first lost less; in brackets the central 95 % over {told[0].people} people drawn anew with all"
        " their counts; each comparison by itself"
    )


def _base(one: Score) -> str:
    always = f"always saying so has a Brier score of {one.brier_base:.4f}"
    return f"{one.below:.1%} of the counts lie below {one.cut:g}; {always}"


def _check(one: Checked) -> list[str]:
    found = "" if one.found is None else f"{one.found:.3g}"
    said = "pass" if one.passes else "miss"
    return [one.model, one.what, one.dose, _wanted(one), found, said, one.kind, one.why]


def _calibrated(one: Calibrated) -> list[str]:
    shares = [f"{share:.3f}" for _, share in one.coverage]
    worth = f"{one.effective_median:.0f}" + (f" ({one.unsound} unsound)" if one.unsound else "")
    said = "holds" if one.holds else "does not hold"
    if one.alarms and one.again is not None:
        said += f" (p {one.least_p:.2g}; {2 * one.people} fresh people: p {one.again:.2g})"
    return [one.model, one.design, one.quantity, str(one.people), *shares, f"{one.uniform_p:.2f}", worth, said]


def _foretold(one: Foretold) -> list[str]:
    shares = (f"{one.sensitivity:.3f}", str(one.spared), f"{one.specificity:.3f}")
    return [str(one.lead), str(one.people), *shares]


def _recovered(one: Recovered) -> list[str]:
    return [str(one.day), str(one.people), f"{one.error:.2f}", f"{one.within:.3f}", f"{one.covered:.3f}"]


def _refit(one: Refitted) -> list[str]:
    values = [f"{value:.4g}" for value in (one.true, one.found)]
    return [one.model, one.name, str(one.people), *values, f"{one.error:.2g}", f"{one.theirs:.4g}"]


def _score(one: Score) -> list[str]:
    shares = [f"{share:.3f}" for _, share in one.coverage]
    errors = [f"{one.log_rmse:.3f}", f"{one.mae:.3f}", f"{one.crps_log:.4f}", f"{one.crps:.4f}"]
    return [one.forecaster, str(one.count), *errors, *shares, f"{one.brier:.4f}"]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
