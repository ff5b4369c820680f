"""`natslib fetch`: the official archives, from a list to a table."""

import argparse
import sys
from pathlib import Path

from natslib.commands.convert import told_of_table
from natslib.commands.exits import DONE, REFUSED
from natslib.commands.options import add_download_arguments, add_json, from_1, print_json
from natslib.errors import ConfigError
from natslib.tables.archives import ARCHIVES, Archive, ByHand, fetch, get_archive
from natslib.tables.conversion import convert

EPILOG = """examples:
  natslib fetch                                (the archives that are known)
  natslib fetch tss                            (downloads into data/, verifies, converts into tables/tss)
  natslib fetch tss --data $TORCH_HOME         (the archive is there already: nothing is downloaded)
  natslib fetch sss --from /mnt/mirror --out tables/size
  natslib fetch tss-whole --from https://mirror.example/nats-bench
Killed or interrupted, the same command goes on. Downloading needs `pip install 'natslib[fetch]'`; what no program can
get is told step by step. Without any archive there is `published`: validation accuracies of the topology space."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib fetch`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "archive", nargs="?", help=f"{', '.join(ARCHIVES)} (left out: says what is known of them)"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="WHERE",
        help="folder, or file:, http: or https: URL, that has the file under its own name",
    )
    add_download_arguments(parser)
    parser.add_argument("--out", type=Path, help="folder of the table (left out: tables/ARCHIVE)")
    parser.add_argument("--processes", type=from_1, metavar="N", help="worker processes (one a core)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """List the archives, or get one and make a table of it; return the exit code."""
    if args.archive is None:
        if args.source or args.out:
            raise ConfigError("--from and --out are for one archive; say which")
        return _list(args)
    archive, progress = get_archive(args.archive), sys.stderr.isatty()
    try:
        place = fetch(archive, args.data, source=args.source, verify=not args.unverified, progress=progress)
    except ByHand as error:
        return _tell(archive, error, args)
    folder = args.out or Path("tables") / archive.name
    manifest = convert(place, folder, processes=args.processes, progress=progress)
    if manifest["space"] != archive.space:
        raise ConfigError(
            f"{place} is of the space {manifest['space']}, {archive.name} of {archive.space}; {folder} holds its table"
        )
    return told_of_table(manifest, folder, as_json=args.json)


def _list(args: argparse.Namespace) -> int:
    there = {name: [str(place) for place in each.found_in(args.data)] for name, each in ARCHIVES.items()}
    if args.json:
        print_json([{**each.told(), "there": there[name]} for name, each in ARCHIVES.items()])
        return DONE
    for name, each in ARCHIVES.items():
        known = [each.file, each.size]
        known += [f"md5 ends in {each.md5_end}"] if each.md5_end else []
        known += [f"Google Drive id {each.drive_id}"] if each.drive_id else []
        print(f"{name:19} {', '.join(known)}")
        print(f"{'':19} {each.holds}{_how(each, there[name])}")
    print(f"{'published':19} without any archive: pip install 'natslib[published]'")
    return DONE


def _how(archive: Archive, there: list[str]) -> str:
    if not archive.readable:
        return f"; not read, its cells are in {archive.space}"
    return f"; {there[0]} is there" if there else "" if archive.url else "; by hand"


def _tell(archive: Archive, error: ByHand, args: argparse.Namespace) -> int:
    """Say on the standard output how a person gets the archive, and on the error stream why natslib does not."""
    if args.json:
        print_json({"archive": archive.name, "reason": str(error), "by_hand": error.steps})
    else:
        print(f"{archive.file} by hand:")
        for number, step in enumerate(error.steps, start=1):
            print(f"  {number}. {step}")
    print(f"natslib fetch: {error}", file=sys.stderr)
    return REFUSED
