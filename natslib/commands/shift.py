"""`natslib shift`: how far two sets of images or features are apart, in diversity and in correlation."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from natslib.analysis.shift import (
    FORMS,
    IID,
    OOD,
    Features,
    all_densities,
    explain,
    measure,
    summarise,
)
from natslib.analysis.sides import Side, comparable, measured_features, of_trial
from natslib.commands.options import add_device_argument, add_json, from_0, from_1, print_json
from natslib.commands.shift_sides import read_sides
from natslib.errors import ConfigError
from natslib.files import atomic

EPILOG = """examples:
  natslib shift digits-rotated                     (held-out images of its sources against those of its target)
  natslib shift photos-here photos-there           (folders CLASS/*.png)
  natslib shift a.npz,b.npz c.npz --calibrate      (images uint8 (n, side, side[, channels]), labels (n,))
  natslib shift here.npz there.npz --form plus     (features, float (n, d), labels (n,): nothing is trained)

Diversity and correlation lie from 0 to 1 (OoD-Bench, CVPR 2022). Of images, a classifier of the side and the label
learns eight features on four fifths of both sides; they are measured on the last fifth, images of the same bytes always
on one side of that split. Features are measured as they are. Beside the shift stands a control, both sides mixed at
random: what it has is noise. With --calibrate the thresholds are such that it has about 0.01; they are then calibrated
in the form that is measured, where the released code calibrates by `plus` whatever it measures. The shifts of one form
are never to be compared with those of the other. Killed, the same command goes on after its last classifier."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of `natslib shift`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "a", metavar="A", help="folder, .npz, several with commas; alone: data with environments"
    )
    parser.add_argument("b", metavar="B", nargs="?", help="what A is compared with, of the same kind")
    parser.add_argument(
        "--form", choices=FORMS, default=FORMS[0], help="of both shifts: the paper's (original), or plus"
    )
    parser.add_argument(
        "--trials", type=from_1, default=8, help="classifiers, of the shift and of the control (8)"
    )
    parser.add_argument("--calibrate", action="store_true", help="find the thresholds by the control")
    parser.add_argument(
        "--backbone", default="mlp", help="of the classifier: mlp (two layers of 390), or cell:INDEX"
    )
    parser.add_argument("--seed", type=from_0, default=0, help="root of all seeds (0)")
    parser.add_argument(
        "--out", type=Path, default=Path("results/shift"), help="folder of the results (results/shift)"
    )
    add_device_argument(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print what it means, and keep a row a trial; return 0."""
    name, p, q = read_sides(args.a, args.b)
    p, q, small = comparable(p, q)
    for label, count in small.items():
        print(f"class {label} is skipped: {count} rows on the smaller side are too few", file=sys.stderr)
    trials, folder = _trials(args, name, p, q)
    rows = measure(trials, all_densities(trials, args.seed), args.form, calibrated=args.calibrate)
    path = folder / f"{args.form}{'-calibrated' * args.calibrate}.parquet"
    with atomic(path) as temporary:
        rows.to_parquet(temporary, index=False)
    _print(rows, args, (len(p), len(q)), path)
    return 0


def _trials(args: argparse.Namespace, name: str, p: Side, q: Side) -> tuple[dict[str, list[Features]], Path]:
    """Return the features of every trial and the folder for the rows; of images they are learnt."""
    if not p.images:
        if args.backbone != "mlp":
            raise ConfigError("--backbone is for images: features are measured as they are")
        numbers = range(args.trials)
        pairs = {kind: [of_trial(p, q, kind, n, args.seed) for n in numbers] for kind in (OOD, IID)}
        return {
            kind: [measured_features(*pair) for pair in found] for kind, found in pairs.items()
        }, args.out / name
    from natslib.training.device import ready_device  # only here: features need no torch
    from natslib.training.shift_trials import trained_features

    return trained_features(
        p,
        q,
        args.out,
        name,
        trials=args.trials,
        seed=args.seed,
        backbone=args.backbone,
        device=ready_device(args.device),
    )


def _print(rows: pd.DataFrame, args: argparse.Namespace, counts: tuple[int, int], path: Path) -> None:
    summary, said = summarise(rows), explain(rows)
    if args.json:
        found: dict[str, Any] = {
            "form": args.form,
            "calibrated": args.calibrate,
            "rows": counts,
            "file": path,
        }
        found |= {str(kind): row.to_dict() for kind, row in summary.iterrows()}
        found |= {"meaning": said, "trials": rows.to_dict("records")}
        print_json(found)
        return
    print(
        f"form {args.form}, {args.trials} trials, mean ± standard deviation; A {counts[0]:,} rows, B {counts[1]:,}"
    )
    for line in _table(summary):
        print(line)
    first = rows.iloc[0]
    how = "calibrated" if args.calibrate else "the released code's"
    print(
        f"densities below {first['diversity_threshold']:.3g} count as none; labels are compared above "
        f"{first['correlation_threshold']:.3g} ({how})"
    )
    for line in said:
        print(line)
    print(f"a row a trial in {path}")


def _table(summary: pd.DataFrame) -> Iterable[str]:
    yield f"{'':14}{'diversity':>16}{'correlation':>16}{'accuracy':>16}"
    for kind, title in {OOD: "A against B", IID: "both mixed"}.items():
        row = summary.loc[kind]
        cells = (
            f"{row[name]:.3f} ± {row[f'{name}_sd']:.3f}" for name in ("diversity", "correlation", "accuracy")
        )
        yield f"{title:14}" + "".join(
            f"{'—' if 'nan ±' in cell else cell.replace(' ± nan', ''):>16}" for cell in cells
        )
