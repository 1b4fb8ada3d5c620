"""`leuko feed`: files of HL7 v2 messages into the store; and the queue of those that could not be taken."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leuko.cli._inputs import zone_option
from leuko.cli._notices import say
from leuko.cli._store import actor, opened, store_option
from leuko.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from leuko.service.store import Store

_EPILOG = """\b
Examples:
  leuko feed night.hl7 --store hospital.sqlite
  leuko feed --regrade               after an update of leuko
  leuko feed --dead                  what could not be taken
  leuko feed --show 3                one of them, as it came (audited)
  leuko feed --let-in 3              take it all the same
  leuko feed --dismiss 3 --why "test message of the laboratory\""""


@click.command("feed", short_help="Store files of HL7 v2 messages; settle what was put aside.", epilog=_EPILOG)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[FILE]...")
@store_option
@zone_option
@click.option("--accept-test", is_flag=True, help="Take messages that MSH-11 marks as training or debugging.")
@click.option("--no-grading", is_flag=True, help="Store only; the service or the next feed grades.")
@click.option("--strict", is_flag=True, help="Exit with 4 where a message could not be taken.")
@click.option("--regrade", is_flag=True, help="Grade everyone in the store again where the knowledge has changed.")
@click.option("--dead", is_flag=True, help="List the messages that could not be taken and wait for a person.")
@click.option("--show", type=int, metavar="N", help="Print message N of that list.")
@click.option("--let-in", type=int, metavar="N", help="Take message N all the same, or try it again.")
@click.option("--dismiss", type=int, metavar="N", help="Settle message N without taking it.")
@click.option("--why", default="", metavar="TEXT", help="The reason, kept with a dismissal.")
def command(
    *,
    paths: tuple[Path, ...],
    where: str,
    zone: tzinfo,
    accept_test: bool,
    no_grading: bool,
    strict: bool,
    regrade: bool,
    dead: bool,
    show: int | None,
    let_in: int | None,
    dismiss: int | None,
    why: str,
) -> None:
    """Store the HL7 v2 messages of files as if they had come over MLLP, and grade everyone whom they name.

    A message that is stored already has no second effect. What cannot be taken is put aside for a person to look at.
    """
    asked = [one for one in (regrade or None, dead or None, show, let_in, dismiss) if one is not None]
    if (len(asked) != 1) if not paths else asked:
        raise UsageError("name files, or one of --regrade, --dead, --show, --let-in, --dismiss", do="leuko feed --help")
    store = opened(where, make=bool(paths))
    try:
        if paths:
            refused = _feed(store, paths, accept_test=accept_test)
            click.get_current_context().call_on_close(store.close)
            if not no_grading:
                _grade(store, zone)
            click.get_current_context().exit(ExitCode.GAPS if strict and refused else ExitCode.DONE)
        elif regrade:
            _grade_again(store, zone)
        elif dead:
            _list(store)
        else:
            _settle(store, show=show, let_in=let_in, dismiss=dismiss, why=why)
    finally:
        store.close()


def _feed(store: Store, paths: tuple[Path, ...], *, accept_test: bool) -> int:
    from leuko.service.replay import replay  # noqa: PLC0415 (loads the database)

    done = replay(store, paths, accept_test=accept_test)
    told = [f"{done.stored} messages stored", f"{done.known} known already"]
    told += [f"{number} put aside ({reason})" for reason, number in sorted(done.refused.items())]
    say(", ".join(told))
    if done.refused:
        say("leuko feed --dead lists what was put aside")
    return done.refused.total()


def _grade(store: Store, zone: tzinfo) -> None:
    from leuko.knowledge import load_library  # noqa: PLC0415
    from leuko.service.grade import Grading, grade  # noqa: PLC0415

    grading = Grading(library=load_library(), zone=zone)
    counts = assessments = failed = 0
    while (done := grade(store, grading)).people or done.failed:
        counts, assessments, failed = counts + done.counts, assessments + done.assessments, failed + done.failed
    say(f"{counts} counts and {assessments} assessments added" + (f", {failed} people failed" if failed else ""))


def _grade_again(store: Store, zone: tzinfo) -> None:
    from leuko.knowledge import load_library  # noqa: PLC0415
    from leuko.service.grade import Grading, grade_again  # noqa: PLC0415

    done = grade_again(store, Grading(library=load_library(), zone=zone))
    say(f"{done.people} people looked at, {done.counts} counts and {done.assessments} assessments added")


def _list(store: Store) -> None:
    from leuko.service.store.dead import letters  # noqa: PLC0415

    with store.read() as connection:
        waiting = letters(connection)
    for letter in waiting:
        click.echo(f"{letter.id}\t{letter.at}\t{letter.source}\t{letter.reason}\t{letter.text}")
    say("nothing waits" if not waiting else f"{len(waiting)} waiting; leuko feed --show N prints one")


def _settle(store: Store, *, show: int | None, let_in: int | None, dismiss: int | None, why: str) -> None:
    from leuko.service.store.dead import letters, look, settle  # noqa: PLC0415

    number = next(one for one in (show, let_in, dismiss) if one is not None)
    with store.read() as connection:
        found = next((one for one in letters(connection, waiting_only=False) if one.id == number), None)
    if found is None:
        raise UsageError(f"there is no message {number} in the list", do="leuko feed --dead")
    if show is not None:
        with store.write() as connection:
            look(connection, store.now(), number, actor=actor())
        click.echo(found.raw.decode("utf-8", errors="replace").replace("\r", "\n"))
        return
    if found.settled:
        raise UsageError(f"message {number} was settled before: {found.settled}")
    if let_in is not None:
        _let_in(store, number, found.raw, found.source)
        return
    with store.write() as connection:
        settle(connection, store.now(), number, "dismissed", actor=actor(), text=why)
    say(f"message {number} is dismissed")


def _let_in(store: Store, number: int, raw: bytes, source: str) -> None:
    from leuko.service.inbox import Inbox, Incoming  # noqa: PLC0415
    from leuko.service.store.dead import settle  # noqa: PLC0415

    verdict = Inbox(store).let_in(Incoming(raw=raw, source=source))
    with store.write() as connection:
        kind = "let-in" if verdict.code == "AA" else "tried"
        settle(connection, store.now(), number, kind, actor=actor(), text=verdict.text)
    if verdict.code != "AA":
        raise UsageError(f"message {number} still cannot be taken", why=verdict.text)
    say(f"message {number} is in the store; the next grading reads it")
