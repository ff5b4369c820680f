"""`natslib search` for the algorithms that train a supernet."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from natslib.errors import ConfigError
from natslib.training.device import ready_device
from natslib.weight_sharing import get_method
from natslib.weight_sharing.data import load_search_data
from natslib.weight_sharing.loop import run_search
from natslib.weight_sharing.presets import PRESETS, settings_of
from natslib.weight_sharing.settings import Settings


def run(args: argparse.Namespace) -> int:
    """Search, print the architecture that came out, and return 0, or 1 where the training diverged."""
    method = get_method(args.algorithm)
    if args.settings is None:
        raise ConfigError(f"--algorithm {args.algorithm} needs --settings, one of {', '.join(PRESETS)}")
    if args.space not in (None, method.space):
        raise ConfigError(
            f"--algorithm {args.algorithm} searches {method.space}; --space {args.space} was given"
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
    print(f"architecture {last['arch_index']}  {last['arch']}")
    print(f"{len(records) - 1} epochs in {records['time_s'].sum():.0f} s, records in {folder}")
    if last["diverged"]:
        print(
            f"the loss became NaN in epoch {last['epoch']}: that is the architecture before", file=sys.stderr
        )
    return int(last["diverged"])


def with_warm_up(settings: Settings, warm_up: float | None, space: str) -> Settings:
    """Return the settings with the warm-up that was asked for; raises `ConfigError` where there is none."""
    if warm_up is None:
        return settings
    if space != "sss" or not 0 <= warm_up < 1:
        raise ConfigError(
            f"--warm-up {warm_up} in the space {space}; allowed is 0 to below 1, in the space sss"
        )
    return replace(settings, warm_up=warm_up)
