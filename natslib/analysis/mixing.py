"""Why skip-connections grow, as DARTS-PT explains it (Wang et al., ICLR 2021, section 4), on a simulated edge.

An edge mixes its input x (the skip-connection) and the output o of a convolution; both are estimates of one optimal
feature map m*. Where their errors are uncorrelated, the mixture of least variance gives each the share of the *other's*
variance: the better the supernet, the closer x is to m*, and the larger the skip-connection's weight.
"""

from collections.abc import Iterable
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import expit

from natslib.errors import ConfigError

Floats = npt.NDArray[np.float64]
FARTHEST = 20.0  # difference of two parameters from which on a softmax has decided


def simulate_edge(
    noise: float, correlation: float, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return m*, the edge's input x and the convolution's output o, (draws,) each.

    `noise`: Var(x − m*) in units of Var(o − m*), above 0; `correlation` of the two errors, −1 to 1. Raises
    `ConfigError` for others.
    """
    if noise <= 0 or abs(correlation) > 1 or draws < 2:
        raise ConfigError(
            f"noise {noise:g}, correlation {correlation:g} and {draws} draws were given; allowed are noise above 0, "
            "correlations of -1 to 1 and at least 2 draws"
        )
    covariance = correlation * np.sqrt(noise)
    errors = rng.multivariate_normal([0.0, 0.0], [[noise, covariance], [covariance, 1.0]], size=draws)
    target = rng.standard_normal(draws)
    return target, target + errors[:, 0], target + errors[:, 1]


def best_skip_weight(target: Floats, skip: Floats, conv: Floats) -> float:
    """Return the skip-connection's softmax weight (0 to 1) at which the mixture's error varies least.

    Found by search over the difference of the two architecture parameters; nothing is known of the errors.
    """

    def spread(lead: float) -> float:
        return float(np.var(expit(lead) * skip + expit(-lead) * conv - target))

    return float(expit(minimize_scalar(spread, bounds=(-FARTHEST, FARTHEST), method="bounded").x))


def skip_weight(noise: npt.ArrayLike, correlation: npt.ArrayLike = 0.0) -> Floats:
    """Return the weight in closed form; any shape. Of uncorrelated errors it is the proposition's.

    With a covariance c of the errors it is (Var(o − m*) − c) / (Var(x − m*) + Var(o − m*) − 2c), and, where that leaves
    0 to 1, the nearer end: c is then above the smaller variance, and the better estimate takes all.
    """
    noise = np.asarray(noise, dtype=np.float64)
    covariance = np.asarray(correlation) * np.sqrt(noise)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (1.0 - covariance) / (noise + 1.0 - 2.0 * covariance)
    return np.where(np.isnan(weight), 0.5, np.clip(weight, 0.0, 1.0))


def mixing_frame(
    noises: Iterable[float], correlations: Iterable[float], draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return what simulated edges weigh their skip-connection, a row a noise and correlation (`simulate_edge`).

    Columns: noise, correlation, found (by minimising), proposition (of uncorrelated errors), closed_form (with the
    covariance) and gap (found less proposition).
    """
    frame = pd.DataFrame(list(product(noises, correlations)), columns=["noise", "correlation"])
    pairs = zip(frame["noise"], frame["correlation"], strict=True)
    found = np.array([best_skip_weight(*simulate_edge(*pair, draws, rng)) for pair in pairs])
    proposed = skip_weight(frame["noise"])
    closed = skip_weight(frame["noise"], frame["correlation"])
    return frame.assign(found=found, proposition=proposed, closed_form=closed, gap=found - proposed)
