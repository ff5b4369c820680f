"""The command line: one verb a file of this package."""

import argparse
import importlib
import sys
from typing import Any

import natslib
from natslib.errors import ConfigError, NatslibError

INTERRUPTED = 130
VERBS = {  # what each does, and the extra that it needs
    "convert": ("turn raw results into a table", None),
    "info": ("say what a table holds", None),
    "query": ("ask for one architecture, or for all", None),
    "search": ("run a search algorithm many times on a table, or train a supernet", None),
    "train": ("train candidates and keep raw logs", "train"),
    "retrain": ("train a stored candidate again and compare", "train"),
    "export": ("write own logs in the layout of the official archives", "train"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused with a reason, 3 done but for damaged files.

    4: `retrain` is done, and the fresh run is apart from the stored ones.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = _parser(argv[0] if argv else "").parse_args(argv)
        return int(args.run(args))
    except NatslibError as error:
        print(f"natslib {argv[0]}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print(
            f"\nnatslib {argv[0]}: interrupted; what was finished is kept, run the same again",
            file=sys.stderr,
        )
        return INTERRUPTED


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
