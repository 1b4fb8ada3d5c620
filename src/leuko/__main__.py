"""The program `leuko`: runs the command line, and turns whatever goes wrong into words and an exit code.

Exit codes: 0 done, 1 an error inside leuko, 2 the call cannot be understood, 3 an input cannot be read, 4 finished
with gaps under `--strict`, 130 interrupted.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

import click

from leuko.errors import LeukoError, place_of

INTERNAL, INTERRUPTED = 1, 130
_RARELY = 200_000  # objects between two looks for cycles: one command makes many that live as long as it runs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Data goes to stdout, messages to stderr, never a traceback."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # the reader of our output (`| head`) has gone; click and rich exit then
        _forget_stdout()
        return 0
    return code


def _run(arguments: Sequence[str] | None) -> int:
    gc.set_threshold(_RARELY)
    atexit.register(gc.freeze)  # what still lives when the process ends need not be looked through for cycles
    # the matrices here are small: threads of NumPy's own would wait a tenth of an assessment for each other
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from leuko.cli import cli  # noqa: PLC0415 (an import that fails must be told like any other error)

    try:
        return int(cli.main(args=arguments, prog_name="leuko", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return 2
    except LeukoError as error:
        click.echo(f"error: {error}", err=True)
        return int(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 (the last place where an error can be told to a person)
        return _apologise(error)


def _apologise(error: Exception) -> int:
    """Name the kind of error and where in leuko it arose; its message is kept back, for it may hold a person's data."""
    if os.environ.get("LEUKO_DEBUG") == "1":
        raise error
    click.echo(
        f"error: leuko itself failed ({type(error).__name__}{place_of(error)}). We are sorry: this is a bug.\n"
        "   = nothing was concluded and nothing was changed\n"
        "help: please report this line, the command and `leuko --version` to the project, without any person's data;\n"
        "      LEUKO_DEBUG=1 shows the traceback, which may hold such data: look before you share it",
        err=True,
    )
    return INTERNAL


def _forget_stdout() -> None:
    """Point stdout at nothing, so that Python's own flush at exit finds no broken pipe."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None


if __name__ == "__main__":
    sys.exit(main())
