"""Where the official API crashes or answers something else than was asked: what a drop-in does instead, by name."""

from collections.abc import Collection

DIFFERENCES = {
    "show-all": "`show(-1)` prints every architecture (officially a `KeyError`)",
    "numpy-index": "a whole number of numpy's is an index (officially an unknown architecture)",
    "no-fallback": "`simulate_train_eval` raises `KeyError` where no validation accuracy was recorded after that epoch "
    "(officially it returns the accuracy on the whole test set, half of which the final test uses)",
    "no-validation-cost": "`simulate_train_eval` charges training alone, for sources without times of validation such "
    "as 'published' (officially with one validation pass)",
}


def check_differences(names: Collection[str]) -> frozenset[str]:
    """Return the names; raises `UnknownName`, a `ValueError`, for one that is none."""
    from natslib.errors import unknown_name

    given = frozenset([names] if isinstance(names, str) else names)
    for name in sorted(given - set(DIFFERENCES)):
        raise unknown_name("difference", name, DIFFERENCES)
    return given
