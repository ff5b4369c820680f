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
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn, TextIO, cast

import natslib
from natslib.errors import ConfigError, NatslibError

INTERRUPTED, TERMINATED = 130, 143
LINE = 1000  # characters of a reason that are shown
VERBS = {  # what each does, and the extra that it needs
    "convert": ("turn raw results into a table", None),
    "info": ("say what a table holds", None),
    "query": ("ask for one architecture, or for all", None),
    "search": ("run a search algorithm many times on a table, or train a supernet", None),
    "train": ("train candidates and keep raw logs", "train"),
    "objectives": ("compare objectives of training on images of several environments", "train"),
    "retrain": ("train a stored candidate again and compare", "train"),
    "export": ("write own logs in the layout of the official archives", "train"),
}


class Terminated(KeyboardInterrupt):
    """The system asked to end (SIGTERM): as Ctrl-C, but for the exit code."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused with a reason, 3 done but for damaged files.

    4: `retrain` is done, and the fresh run is apart from the stored ones. 130, 143: ended by Ctrl-C or SIGTERM.
    """
    argv = sys.argv[1:] if argv is None else argv
    verb = argv[0] if argv else ""
    try:
        with _terminable(), _output():
            return _run(verb, argv)
    except KeyboardInterrupt as asked:
        _say(f"\nnatslib {verb}: interrupted; what was finished is kept, run the same again")
        return TERMINATED if isinstance(asked, Terminated) else INTERRUPTED
    except Unprintable as error:
        _silence_output()
        return 0 if isinstance(error.reason, BrokenPipeError) else _refused(verb, str(error))
    except NatslibError as error:
        return _refused(verb, str(error))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        return _refused(verb, f"{where}{error.strerror or error}")
    except MemoryError:
        return _refused(verb, "more memory is needed than there is; what was finished is kept")
    except RecursionError:
        return _refused(verb, "something that was read is nested too deeply")
    except UnicodeError as error:
        return _refused(verb, f"a name or text is no valid Unicode ({error!s:.200})")


def _run(verb: str, argv: list[str]) -> int:
    parser = _parser(verb)
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
    """Say in one line why; of a reason that repeats an endless argument only both ends. Return 1."""
    line = " ".join(reason.splitlines())
    _say(f"natslib {verb}: {line if len(line) <= LINE else f'{line[: LINE // 2]} ... {line[-LINE // 2 :]}'}")
    return 1


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _parser(asked: str) -> argparse.ArgumentParser:
    """Return the parser with the options of the verb that is asked for; the other verbs are only named."""
    parser = argparse.ArgumentParser("natslib", description="NATS-Bench: tables, training and search.")
    parser.add_argument("--version", action="version", version=f"natslib {natslib.__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for verb, (text, extra) in VERBS.items():
        command = commands.add_parser(verb, help=text)
        if verb == asked:
            module = _import(verb, extra)
            command.set_defaults(run=module.run)
            module.add_arguments(command)
    return parser


def _import(verb: str, extra: str | None) -> Any:
    """Import a verb's module only when it is asked for, so that asking tables needs no torch."""
    try:
        return importlib.import_module(f"natslib.commands.{verb}")
    except ModuleNotFoundError as error:
        hint = f"; pip install 'natslib[{extra}]'" if extra else ""
        raise ConfigError(f"`natslib {verb}` needs the package {error.name}{hint}") from None
