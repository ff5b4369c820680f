"""Architectures that the paper marks in its figures (NATS-Bench, figure 3)."""

import pandas as pd

_LANDMARKS: dict[str, tuple[tuple[int, str, str], ...]] = {
    "tss": ((11472, "ResNet", "by hand"), (1462, "largest", "largest")),
    "sss": (
        (668, "pyramids", "by hand"),
        (751, "pyramids", "by hand"),
        (14711, "pyramids", "by hand"),
        (32767, "largest", "largest"),
    ),
}


def landmarks(space_name: str) -> pd.DataFrame:
    """Return the marked architectures of a space, such as "tss" or "sss": columns arch_index, name, kind.

    `kind` is "by hand" (the ResNet cell; the pyramids 8:16:24:32:40, 8:16:32:48:64 and 32:40:48:56:64) or "largest".
    A space that the paper does not have has no rows.
    """
    rows = _LANDMARKS.get(space_name, ())
    return pd.DataFrame(rows, columns=["arch_index", "name", "kind"]).astype({"arch_index": int})
