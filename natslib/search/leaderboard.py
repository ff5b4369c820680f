"""Leaderboard entries: a result with everything that a colleague needs to get it again, bit by bit.

An entry is a folder: `entry.json` (what was run, the accuracies, the hash of the trajectories, the command that repeats
it) and, for an algorithm of one's own, `algorithm.py`.
"""

import builtins
import dis
import hashlib
import inspect
import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.files import read_json, write_atomic
from natslib.search.algorithms import MULTI_FIDELITY, SEARCHES
from natslib.search.proposals import SearchFunction
from natslib.search.store import DESCRIBED, DESCRIPTION, check_shape, read_description, read_runs
from natslib.tables.format.folder import MANIFEST, read_manifest

ENTRY, ALGORITHM = "entry.json", "algorithm.py"
HEADER = """from __future__ import annotations

import numpy as np

from natslib.search.proposals import WAIT, Trial, evaluate


"""
SOURCE = {"dataset": str, "recipe": str, "draw": (str, int), "charge_validation": bool}
SHAPE: dict[str, Any] = DESCRIBED | {
    "author": str,
    "runs": int,
    "evaluations": (int, float),
    "accuracies": dict,
    "trajectories_sha256": str,
}
KNOWN = frozenset({"np", "Trial", "WAIT", "evaluate"})


def trajectories_hash(frame: pd.DataFrame) -> str:
    """Return a hash of what was evaluated and when: run, arch_index, epochs, score and spent of every row."""
    digest = hashlib.sha256()
    ordered = frame.sort_values(["run", "step"], kind="stable")
    for column, kind in (
        ("run", "<i8"),
        ("arch_index", "<i8"),
        ("epochs", "<i8"),
        ("score", "<f8"),
        ("spent", "<f8"),
    ):
        digest.update(ordered[column].to_numpy(dtype=kind).tobytes())
    return digest.hexdigest()


def save_entry(
    entry: str | Path,
    runs: str | Path,
    accuracies: Mapping[str, npt.ArrayLike],
    *,
    table: str,
    author: str,
    own: SearchFunction | None = None,
) -> dict[str, Any]:
    """Write a leaderboard entry for the runs kept in folder `runs`, and return its content.

    `accuracies`: by name ("valid", "test"), the final value of every run in percent. `table`: the name or the source
    of the table, for the command, in which a copy of `published` is called that. `own`: the function, if the algorithm
    is not a registered one; its source goes into the entry, where `np`, `Trial`, `WAIT` and `evaluate` are known.
    Raises `ConfigError` for accuracies of another number of runs, and for a function that needs other names from
    around it.
    """
    if own is not None and (others := sorted(outer_names(own.__code__) - KNOWN - {own.__name__})):
        raise ConfigError(
            f"{own.__name__} takes {', '.join(others)} from around it, which a colleague has not: import or define it "
            f"inside the function (known are {', '.join(sorted(KNOWN))})"
        )
    told, frame, place = read_description(runs), read_runs(runs), Path(entry)
    check_shape(told["source"], SOURCE, Path(runs) / DESCRIPTION, "description of a search on a table")
    count = frame["run"].nunique()
    samples = {name: np.asarray(values, dtype=np.float64) for name, values in accuracies.items()}
    for name, sample in samples.items():
        if sample.shape != (count,):
            raise ConfigError(f"{name} accuracies of shape {sample.shape} were given for {count} runs")
    content = told | {
        "author": author,
        "runs": count,
        "evaluations": len(frame) / count,
        "accuracies": {
            name: {"mean": float(sample.mean()), "std": float(sample.std())}
            for name, sample in samples.items()
        },
        "trajectories_sha256": trajectories_hash(frame),
        "command": command(told, count, _for_a_colleague(table, place), own),
    }
    if own is not None:
        _write_algorithm(place, (HEADER + inspect.getsource(own)).encode())
    write_atomic(place / ENTRY, json.dumps(content, indent=1).encode())
    return content


def _for_a_colleague(table: str, place: Path) -> str:
    """Return what names a table elsewhere too: 'published' for a copy of it, else the way from the entry."""
    folder = Path(table)
    if not folder.is_dir():
        return table
    origin = read_manifest(folder).get("origin") if (folder / MANIFEST).exists() else None
    return "published" if origin == "published" else os.path.relpath(folder, place)


def _write_algorithm(place: Path, source: bytes) -> None:
    """Write the algorithm; an entry of another one goes first, for the two must never stand together."""
    try:
        if (place / ALGORITHM).exists() and (place / ALGORITHM).read_bytes() == source:
            return
        (place / ENTRY).unlink(missing_ok=True)
    except OSError as error:
        raise NatslibError(f"cannot write {place}: {error.strerror}") from error
    write_atomic(place / ALGORITHM, source)


def outer_names(code: CodeType) -> set[str]:
    """Return the names that a function takes from around it, those of functions inside it too; no built-ins."""
    taken = {
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    taken |= set(code.co_freevars)
    inner = [outer_names(part) - {*code.co_cellvars} for part in code.co_consts if isinstance(part, CodeType)]
    return set().union(taken, *inner) - set(vars(builtins))


def command(told: Mapping[str, Any], runs: int, table: str, own: SearchFunction | None) -> str:
    """Return the command, to be given in the entry's folder, that repeats the runs."""
    source, rules = told["source"], told["protocol"]
    dataset = "cifar10" if source["dataset"] == "cifar10-valid" else source["dataset"]
    options = {
        "algorithm": f"{ALGORITHM}:{own.__name__}" if own else told["algorithm"],
        "table": table,
        "dataset": dataset,
        "recipe": source["recipe"],
        "draw": source["draw"],
        "budget": f"{rules['budget']!r} {rules['unit']}",
        "overshoot": rules["overshoot"],
        "repeats": rules["repeats"],
        "workers": rules["workers"],
        "runs": runs,
        "seed": told["seed"],
    }
    if len(told["epochs"]) > 1:
        options["epochs"] = ",".join(map(str, told["epochs"]))
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    if given := given_settings(told["algorithm"], told.get("settings", {})):
        words += ["--set", *(f"{name}={value}" for name, value in given.items())]
    unpaid = [] if source["charge_validation"] else ["--no-validation-cost"]
    return shlex.join(["natslib", "search", *words, *unpaid])


def given_settings(algorithm: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a search has not by its name alone."""
    own = getattr(SEARCHES.get(algorithm), "keywords", {})
    implied = {"max_epochs"} if algorithm in MULTI_FIDELITY else set()
    return {name: v for name, v in settings.items() if own.get(name) != v and name not in implied}


def read_entries(folder: str | Path) -> pd.DataFrame:
    """Return the entries in a folder, by dataset, best test accuracy (or else validation accuracy) first.

    Columns: algorithm, author, space, dataset, runs, evaluations, valid, valid_std, test, test_std, entry (its folder).
    """
    rows = []
    for path in sorted(Path(folder).glob(f"*/{ENTRY}")):
        content = read_entry(path.parent)
        row = {key: content[key] for key in ("algorithm", "author", "space", "runs", "evaluations")}
        row |= {"dataset": content["source"].get("dataset"), "entry": path.parent.name}
        for name in ("valid", "test"):
            values = content["accuracies"].get(name, {"mean": np.nan, "std": np.nan})
            row |= {name: values["mean"], f"{name}_std": values["std"]}
        rows.append(row)
    columns = ["algorithm", "author", "space", "dataset", "runs", "evaluations"]
    columns += ["valid", "valid_std", "test", "test_std", "entry"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["space", "dataset", "test", "valid"], ascending=[True, True, False, False], ignore_index=True
    )


def read_entry(entry: str | Path) -> dict[str, Any]:
    """Return the content of an entry; raises `BadSource`."""
    path = Path(entry) / ENTRY
    content = read_json(path, "leaderboard entry")
    check_shape(content, SHAPE, path, "leaderboard entry")
    for values in content["accuracies"].values():
        if not isinstance(values, dict) or not all(
            isinstance(values.get(key), (int, float)) for key in ("mean", "std")
        ):
            raise BadSource(f"{path}: no leaderboard entry, an accuracy has no mean and std")
    return content


def check_entry(entry: str | Path, runs: str | Path) -> None:
    """Raise `BadSource` unless the runs in a folder are those of the entry; for after its command was repeated."""
    claimed, found = read_entry(entry), trajectories_hash(read_runs(runs))
    if claimed["trajectories_sha256"] != found:
        raise BadSource(
            f"{entry}: the trajectories in {runs} are others than claimed "
            f"({found[:12]}... against {claimed['trajectories_sha256'][:12]}...)"
        )
