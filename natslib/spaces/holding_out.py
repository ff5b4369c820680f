"""Splits of a space for predictors: exactly equal networks on one side, and a warning where they are on both."""

import warnings

import numpy as np
import numpy.typing as npt

from natslib.errors import ConfigError
from natslib.spaces.space import Space

Indices = npt.NDArray[np.int64]


def hold_out(
    space: Space, share: float, rng: np.random.Generator, among: npt.ArrayLike | None = None
) -> tuple[Indices, Indices]:
    """Return indices to learn from and indices held out, about `share` of them, both ascending.

    Architectures whose networks are exactly equal (`Space.classes`) stay together. `among`: the indices to divide, by
    default the whole space. Raises `ConfigError` for a share that is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ConfigError(f"the share to hold out is {share!r}; allowed is a number between 0 and 1")
    divided = np.arange(len(space)) if among is None else np.unique(np.asarray(among, np.int64))
    classes = space.classes()[divided]
    drawn = rng.permutation(np.unique(classes))
    sizes = np.cumsum(np.bincount(classes, minlength=len(space))[drawn])
    out = np.isin(classes, drawn[: np.abs(sizes - share * len(divided)).argmin() + 1])
    return divided[~out], divided[out]


def check_held_out(space: Space, learnt: npt.ArrayLike, held_out: npt.ArrayLike) -> float:
    """Return the share of `held_out` whose network is exactly equal to one of `learnt`; warns where there are any.

    Both are indices. A predictor that is tested on these has seen their accuracies, up to the seed.
    """
    classes = space.classes()
    asked = classes[np.asarray(held_out, np.int64)]
    seen = np.isin(asked, classes[np.asarray(learnt, np.int64)])
    if seen.any():
        warnings.warn(
            f"{int(seen.sum()):,} of {len(seen):,} architectures held out ({seen.mean():.1%}) have an exactly equal "
            "network among those learnt from; natslib.spaces.hold_out keeps them together",
            stacklevel=2,
        )
    return float(seen.mean())
