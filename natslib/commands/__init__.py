"""The command line: one verb a file of this package."""

import argparse
import contextlib
import importlib
import io
import os
import re
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO, cast

import natslib
from natslib.commands.exits import DONE, EXITS, FAULT, INTERRUPTED, REFUSED, TERMINATED
from natslib.errors import ConfigError, NatslibError
from natslib.extras import EXTRAS, how_to_get

LINE = 1000  # characters of a reason that are shown
DEBUG = "--debug"
VERBS = {
    "fetch": "list the official archives; download one and make a table of it",
    "convert": "turn raw results into a table",
    "info": "say what a table holds",
    "query": "ask for one architecture, or for all",
    "compare": "correlate your own scores of architectures with accuracies",
    "verify": "hold a table to what the papers say",
    "search": "run a search many times on a table or by training, or train a supernet",
    "train": "train candidates and keep raw logs",
    "retrain": "train a stored candidate again and compare",
    "export": "write own logs in the layout of the official archives",
    "shift": "measure how far two sets of images are apart",
    "objectives": "compare objectives of training on shifted images",
}
EPILOG = f"""examples:
  natslib info published                         (what needs no download: `pip install 'natslib[published]'`)
  natslib query published --arch 6111 --dataset cifar10-valid --recipe 200 --split valid
  natslib fetch                                  (which archives there are, and how to get them)
  natslib search --algorithm rea --dataset cifar10 --runs 10 --seed 0
  natslib query --help                           (the options of a verb, with examples)

Answers go to the standard output, as JSON with --json; progress and warnings to the error stream, progress only where
that is a terminal. Long work that was killed goes on when the same command is given again.

exit codes:
{chr(10).join(f"  {code:<4} {text}" for code, text in EXITS.items())}

Completion of names in the shell: natslib --completion bash > ~/.local/share/bash-completion/completions/natslib
(or zsh, fish, tcsh; needs `pip install 'natslib[completion]'`)."""


class Terminated(KeyboardInterrupt):
    """The system asked to end (SIGTERM): as Ctrl-C, but for the exit code."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code (`natslib.commands.exits`); an error is one line on the error stream.

    With `--debug` its traceback comes before.
    """
    argv = sys.argv[1:] if argv is None else argv
    verb = next((word for word in argv if word != DEBUG), "")
    try:
        with _terminable(), _output(), _warnings_in_a_line(verb):
            return _run(verb, argv)
    except KeyboardInterrupt as asked:
        _say(f"\nnatslib {verb}: interrupted; what was finished is kept, run the same again")
        return TERMINATED if isinstance(asked, Terminated) else INTERRUPTED
    except Exception as error:
        if DEBUG in argv:
            _say("".join(traceback.format_exception(error)).rstrip())
        return _failed(verb, error)


def _failed(verb: str, error: Exception) -> int:
    """Say in one line what went wrong and return the exit code."""
    match error:
        case Unprintable():
            _silence_output()
            return DONE if isinstance(error.reason, BrokenPipeError) else _refused(verb, str(error))
        case NatslibError():
            return _refused(verb, str(error))
        case OSError():
            where = "" if error.filename is None else f"{error.filename}: "
            return _refused(verb, f"{where}{error.strerror or error}")
        case MemoryError():
            return _refused(verb, "more memory is needed than there is; what was finished is kept")
        case RecursionError():
            return _refused(verb, "something that was read is nested too deeply")
        case UnicodeError():
            return _refused(verb, f"a name or text is no valid Unicode ({error!s:.200})")
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in EXTRAS:
            return _refused(verb, how_to_get(error))
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    _refused(
        verb,
        f"a fault of natslib itself, {type(error).__name__}: {error} ({where}); please report it with what {DEBUG} "
        "shows",
    )
    return FAULT


def _run(verb: str, argv: list[str]) -> int:
    parser = make_parser(verb)
    if empty := [word for word in argv if re.fullmatch("--[a-z-]+=--", word)]:
        parser.error(f"{empty[0]} was given; '--' is no value")  # argparse would make an empty list of it
    args = parser.parse_args(argv)
    return int(args.run(args))


class Unprintable(NatslibError):
    """The standard output cannot be written; `reason` says why: a full disk, or a reader that has gone."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(f"cannot print: {reason.strerror or reason}")
        self.reason = reason


class _Output:
    """The standard output, whose errors are told apart from those of files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or raise `Unprintable`."""
        try:
            return self._stream.write(text)
        except OSError as error:
            raise Unprintable(error) from error

    def flush(self) -> None:
        """Write what is held back, or raise `Unprintable`."""
        try:
            self._stream.flush()
        except OSError as error:
            raise Unprintable(error) from error


@contextlib.contextmanager
def _output() -> Iterator[None]:
    """Print any text whatever the encoding, and all of it before the end, while somebody can still say what fails."""
    _prepare_streams()
    with contextlib.redirect_stdout(cast(TextIO, _Output(sys.stdout))):
        try:
            yield
        finally:
            sys.stdout.flush()


def _prepare_streams() -> None:
    """Let every text be printed whatever the encoding, and have an error stream; a closed output is refused."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (as long as the process lives)
    if sys.stdout is None:  # closed, and the next file that is opened would get what is printed
        raise ConfigError("the standard output is closed; send it to a file, or to /dev/null")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _warnings_in_a_line(verb: str) -> Iterator[None]:
    """Print a warning as what it says, without the place in the code that warns."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *place, **line: f"natslib {verb}: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that what is open is closed and workers end; not below another's handler."""
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _silence_output() -> None:
    """Let the interpreter end without trying once more what could not be printed."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refused(verb: str, reason: str) -> int:
    """Say in one line why; of a reason that repeats an endless argument only both ends. Return `REFUSED`."""
    line = " ".join(reason.splitlines())
    _say(f"natslib {verb}: {line if len(line) <= LINE else f'{line[: LINE // 2]} ... {line[-LINE // 2 :]}'}")
    return REFUSED


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def make_parser(asked: str = "") -> argparse.ArgumentParser:
    """Return the parser with the options of the verb that is asked for; the other verbs are only named.

    The module of a verb is imported only when it is asked for, so that a question to a table waits for nothing else.
    """
    parser = argparse.ArgumentParser(
        "natslib",
        description="NATS-Bench in plain columns: tables, searches and training. `natslib VERB --help` says more.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"natslib {natslib.__version__}")
    parser.add_argument(
        "--completion", action=_Completion, metavar="SHELL", help="print what completes names in this shell"
    )
    _add_debug(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="VERB", title="verbs")
    for verb, text in VERBS.items():
        command = commands.add_parser(verb, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if verb == asked:
            complete(command, verb)
    return parser


def complete(command: argparse.ArgumentParser, verb: str) -> None:
    """Give the parser of a verb its options."""
    module = importlib.import_module(f"natslib.commands.{verb}")
    command.set_defaults(run=module.run)
    module.add_arguments(command)
    _add_debug(command)


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(DEBUG, action="store_true", help="show the traceback of an error")


class _Completion(argparse.Action):
    """Prints the completion of all verbs for a shell, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: Any = None,
    ) -> None:
        import shtab  # only here: nobody else waits for it

        if values not in shtab.SUPPORTED_SHELLS:
            raise ConfigError(
                f"--completion {values!r:.40} was given; allowed are {', '.join(shtab.SUPPORTED_SHELLS)}"
            )
        whole = make_parser()
        (verbs,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
        for verb, command in verbs.choices.items():
            complete(command, verb)
        print(shtab.complete(whole, shell=values))
        parser.exit(0)
