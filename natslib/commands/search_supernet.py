"""`natslib search` for the algorithms that train a supernet."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from natslib.commands.exits import DONE, REFUSED
from natslib.commands.options import print_json
from natslib.errors import ConfigError, unknown_name
from natslib.tables import Table, load
from natslib.tables.reported import REPORTED, reported_values
from natslib.training.names import check_images
from natslib.weight_sharing import get_method
from natslib.weight_sharing.presets import PRESETS, settings_of
from natslib.weight_sharing.settings import Settings


def run(args: argparse.Namespace) -> int:
    """Search, print the architecture that came out, and return 0, or 1 where the training diverged."""
    if args.settings is None:
        raise ConfigError(f"--algorithm {args.algorithm} needs --settings, one of {', '.join(PRESETS)}")
    if args.settings not in PRESETS:
        raise unknown_name("settings", args.settings, PRESETS)
    check_images(args.dataset)
    table = None if args.table is None else load(args.table)

    from natslib.training.device import ready_device  # only here: torch takes its time
    from natslib.weight_sharing.data import load_search_data
    from natslib.weight_sharing.loop import run_search

    method = get_method(args.algorithm)
    for option, space in {"space": args.space, "table": table and table.space.name}.items():
        if space not in (None, method.space):
            raise ConfigError(
                f"--algorithm {args.algorithm} searches {method.space}; --{option} {getattr(args, option)} was given"
            )
    settings = with_warm_up(
        settings_of(args.settings, args.algorithm, method.space), args.warm_up, method.space
    )
    device = ready_device(args.device)
    data = load_search_data(
        args.dataset, args.data, device, verify=not args.unverified, halves=settings.halves
    )
    name = args.algorithm + ("" if args.warm_up is None else f"-warm-up-{args.warm_up:g}")
    where = Path("results/weight-sharing") / f"{method.space}-{data.name}-{settings.name}" / name
    folder = args.out or where / f"seed-{args.seed}"
    records = run_search(args.algorithm, data, settings, args.seed, folder, progress=sys.stderr.isatty())
    last = records.iloc[-1]
    told = {
        "arch_index": last["arch_index"],
        "arch": last["arch"],
        **(known_of(table, data.name, int(last["arch_index"])) if table else {}),
        "epochs": len(records) - 1,
        "time_s": records["time_s"].sum(),
        "diverged": bool(last["diverged"]),
        "folder": folder,
    }
    if args.json:
        print_json(told)
    else:
        for line in report(told, method.space, args.dataset, table):
            print(line)
    if last["diverged"]:
        print(
            f"the loss became NaN in epoch {last['epoch']}: that is the architecture before", file=sys.stderr
        )
    return REFUSED if last["diverged"] else DONE


def known_of(table: Table, dataset: str, index: int) -> dict[str, Any]:
    """Return the reported accuracies of an architecture that a table knows, by what they are, with their recipes."""
    found = {}
    for what in REPORTED:
        reported = reported_values(table.through_classes(), dataset, what)
        if reported is not None and not np.isnan(reported.values[index]):
            found[f"{what}_accuracy"] = {"value": reported.values[index], "recipe": reported.recipe}
    return found


def report(told: dict[str, Any], space: str, dataset: str, table: Table | None) -> list[str]:
    """Return lines with the architecture, what is known of it, and how to know more."""
    index = told["arch_index"]
    lines = [f"architecture {index}  {told['arch']}"]
    known = [name for name in told if name.endswith("_accuracy")]
    for name in known:
        value, recipe = told[name]["value"], told[name]["recipe"]
        lines.append(f"{name.replace('_', ' ')} (recipe {recipe}): {value:.2f} %")
    if table and not known:
        lines.append("its accuracy: not in this table")
    if not known:
        lines.append(
            f"its accuracy is told by `natslib train --space {space} --arch {index} --dataset {dataset} ...`"
            + ("" if table else " or, from a table, with --table")
        )
    return [*lines, f"{told['epochs']} epochs in {told['time_s']:.0f} s, records in {told['folder']}"]


def with_warm_up(settings: Settings, warm_up: float | None, space: str) -> Settings:
    """Return the settings with the warm-up that was asked for; raises `ConfigError` where there is none."""
    if warm_up is None:
        return settings
    if space != "sss" or not 0 <= warm_up < 1:
        raise ConfigError(
            f"--warm-up {warm_up} in the space {space}; allowed is 0 to below 1, in the space sss"
        )
    return replace(settings, warm_up=warm_up)
