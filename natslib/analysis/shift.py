"""How far two sets of features with labels are shifted: OoD-Bench's diversity and correlation (CVPR 2022, section 3).

Both lie from 0 to 1. **Diversity** counts features that one side lacks, **correlation** those that both sides show,
with other labels. In the form `original`, p and q being the densities of the two sides, S where one of them is zero
and T where neither is,

    diversity   = 1/2 ∫_S |p(z) - q(z)| dz
    correlation = 1/2 ∫_T √(p(z) q(z)) Σ_y |p(y|z) - q(y|z)| dz

and in the form `plus`, the default of the released code since 2025,

    diversity   = 1/2 ∫_S (√p - √q)² dz
    correlation = 1/2 ∫_T Σ_y [p(y,z)√(q/p) + q(y,z)√(p/q) - 2√(p(y,z) q(y,z))] dz

whose sum is the squared Hellinger distance of the joint distributions where p = q on T; else it lacks ½∫_T (√p - √q)²,
for no term counts what one side shows more often than the other. Densities are Gaussian kernel estimates, "zero" is
below a threshold, and the thresholds decide: see `calibrate`.
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.stats import gaussian_kde

from natslib.errors import ConfigError, unknown_name

FORMS = ("original", "plus")
POINTS = 10_000
CHUNK = 100_000  # kernels evaluated at once: they stay in the cache
OOD, IID = "ood", "iid"
CALIBRATED = (0.005, 0.010)
"""Where calibration wants the mean diversity and correlation of what is not shifted."""
STEPS = 20


@dataclass(frozen=True)
class Thresholds:
    """Below `diversity` a density counts as zero; only where both are above `correlation` labels are compared.

    The defaults are those of the released code.
    """

    diversity: float = 1e-12
    correlation: float = 5e-4


#: Where calibration looks for them.
HIGHEST = Thresholds(1e-6, 1.0)


@dataclass(frozen=True)
class Features:
    """What is measured of both sides: features, float (n, d); labels (n,); and whether a row is of the other side (n,).

    `accuracy`: the share of these rows, 0 to 1, whose side the environment classifier found; NaN without one.
    """

    z: np.ndarray
    labels: np.ndarray
    other: np.ndarray
    accuracy: float = math.nan


@dataclass(frozen=True)
class Densities:
    """Densities at points (m,) drawn from `pooled`: of all features, of p, of q, and a row a class (k, m) of each side.

    `share` (k,) are the classes' shares of the rows; `skipped` names the classes without a density.
    """

    pooled: np.ndarray
    p: np.ndarray
    q: np.ndarray
    p_class: np.ndarray
    q_class: np.ndarray
    share: np.ndarray
    skipped: tuple[object, ...]


def standardise(z: np.ndarray) -> np.ndarray:
    """Return features (n, d) of both sides with mean 0 and standard deviation 1; raises `ConfigError`."""
    if not np.isfinite(z).all():
        rows = int((~np.isfinite(z)).any(axis=1).sum())
        raise ConfigError(
            f"{rows:,} of {len(z):,} rows of features are not finite; allowed are finite numbers"
        )
    deviation = z.std(axis=0)
    if flat := np.flatnonzero(deviation <= 1e-12 * np.abs(z).max(axis=0)).tolist():
        raise ConfigError(f"feature {flat[0]} is constant over both sides; leave constant features out")
    return (z - z.mean(axis=0)) / deviation


def densities(features: Features, rng: np.random.Generator, points: int = POINTS) -> Densities:
    """Estimate all densities (Scott's rule) at points drawn from the pooled one, features standardised jointly.

    A class whose density cannot be estimated is skipped with a warning. Raises `ConfigError` for features that are
    constant, not finite or linearly dependent, and where fewer than two classes are left.
    """
    z, other = standardise(features.z.astype(np.float64)), features.other
    try:
        pooled, p, q = (gaussian_kde(some.T) for some in (z, z[~other], z[other]))
    except (np.linalg.LinAlgError, ValueError) as error:
        raise ConfigError(
            f"no density of {z.shape[1]} features can be estimated: some depend on others, or there are too few rows "
            f"({error!s:.80})"
        ) from None
    at = pooled.resample(points, seed=rng)
    classes, skipped = [], []
    for label in np.unique(features.labels):
        some = features.labels == label
        try:
            pair = [_evaluate(gaussian_kde(z[some & side].T), at) for side in (~other, other)]
        except (np.linalg.LinAlgError, ValueError):
            skipped.append(label.item())
            continue
        classes.append((*pair, some.sum()))
    if skipped:
        named = ", ".join(map(str, skipped))
        warnings.warn(f"class {named} is skipped: its features have no density", stacklevel=2)
    if len(classes) < 2:
        raise ConfigError(
            f"{len(classes)} classes have a density; allowed are two or more: measure more images"
        )
    p_class, q_class, counts = (np.array(part) for part in zip(*classes, strict=True))
    of_all, of_p, of_q = (_evaluate(kde, at) for kde in (pooled, p, q))
    return Densities(of_all, of_p, of_q, p_class, q_class, counts / counts.sum(), tuple(skipped))


def _evaluate(kde: gaussian_kde, at: np.ndarray) -> np.ndarray:
    """Return a density at points (d, m), to five digits: many times as fast as the method of SciPy.

    The exponents come from one matrix product, and are rounded to single precision, whose exponential is fast.
    """
    root = np.linalg.cholesky(kde.covariance)
    centre = kde.dataset.mean(axis=1, keepdims=True)
    rows, points = (solve_triangular(root, some - centre, lower=True) for some in (kde.dataset, at))
    norm = math.log(kde.n) + kde.d / 2 * math.log(2 * math.pi) + np.log(np.diag(root)).sum()
    # -|x - y|²/2 = xy - |x|²/2 - |y|²/2
    half_rows, half_points = (0.5 * (some**2).sum(axis=0, keepdims=True) for some in (rows, points))
    rows = np.concatenate([rows, -half_rows, np.ones_like(half_rows)])
    points = np.concatenate([points, np.ones_like(half_points), -half_points])
    found = []
    for some in np.array_split(points, max(1, points.shape[1] * kde.n // CHUNK), axis=1):
        kernels = np.exp((some.T @ rows).astype(np.float32))
        found.append(kernels.sum(axis=1, dtype=np.float64))
    return np.concatenate(found) * math.exp(-norm)


def check_form(form: str) -> None:
    """Raise `UnknownName` unless `form` is one of `FORMS`."""
    if form not in FORMS:
        raise unknown_name("form of the two shifts", form, FORMS)


def diversity(at: Densities, threshold: float, form: str) -> float:
    """Return the diversity: the mean over all points, those outside S counting nothing."""
    check_form(form)
    apart = np.abs(at.p - at.q) if form == "original" else (np.sqrt(at.p) - np.sqrt(at.q)) ** 2
    lacking = (at.p < threshold) | (at.q < threshold)
    return float(0.5 * np.mean(lacking * apart / at.pooled))


def correlation(at: Densities, threshold: float, form: str) -> float:
    """Return the correlation: the mean over all points of T, over classes by their shares."""
    check_form(form)
    shared = (at.p > threshold) & (at.q > threshold)
    if not shared.any():
        return 0.0
    ratio = np.sqrt(at.q[shared] / at.p[shared])
    p, q = at.p_class[:, shared], at.q_class[:, shared]
    apart = (
        np.abs(p * ratio - q / ratio) if form == "original" else p * ratio + q / ratio - 2 * np.sqrt(p * q)
    )
    by_class = 0.5 * (apart / at.pooled[shared]).sum(axis=1) / len(at.p)
    return float(at.share @ by_class)


def calibrate(controls: Sequence[Densities], form: str) -> Thresholds:
    """Return the thresholds at which the mean shifts of `controls`, both sides drawn from one set, lie in `CALIBRATED`.

    Each threshold is bisected by its own mean, in at most 20 steps from 0 to `HIGHEST`, and keeps its last value where
    the steps end before. The form is that of what is measured with them; the released code calibrates by `plus`
    whatever it measures, and goes on with one threshold until the other fits, too.
    """

    def mean(shift: Callable[[Densities, float, str], float], threshold: float) -> float:
        return float(np.mean([shift(at, threshold, form) for at in controls]))

    return Thresholds(
        _bisect(HIGHEST.diversity, partial(mean, diversity), rising=True),
        _bisect(HIGHEST.correlation, partial(mean, correlation), rising=False),
    )


def _bisect(highest: float, mean: Callable[[float], float], *, rising: bool) -> float:
    """Return a threshold at which `mean` of it lies in `CALIBRATED`; `rising` with the threshold, or falling."""
    low, high = 0.0, highest
    for _ in range(STEPS):
        middle = (low + high) / 2
        value = mean(middle)
        if CALIBRATED[0] <= value <= CALIBRATED[1]:
            break
        if (value > CALIBRATED[1]) == rising:
            high = middle
        else:
            low = middle
    return middle


def all_densities(trials: Mapping[str, Sequence[Features]], seed: int) -> dict[str, list[Densities]]:
    """Return the densities of every trial of each kind, "ood" for the two sides and "iid" for the control."""
    return {
        kind: [densities(some, np.random.default_rng((seed, number))) for number, some in enumerate(found)]
        for kind, found in trials.items()
    }


def measure(
    trials: Mapping[str, Sequence[Features]],
    at: Mapping[str, Sequence[Densities]],
    form: str,
    *,
    calibrated: bool = False,
) -> pd.DataFrame:
    """Return a row a trial: kind, trial, form, diversity, correlation, accuracy, the thresholds, n and features.

    `at` are the densities of `trials`; `n` rows are measured, both sides together. With `calibrated`, the thresholds
    are those of the control.
    """
    used = calibrate(at[IID], form) if calibrated else Thresholds()
    rows = [
        {
            "kind": kind,
            "trial": number,
            "form": form,
            "diversity": diversity(one, used.diversity, form),
            "correlation": correlation(one, used.correlation, form),
            "accuracy": some.accuracy,
            "diversity_threshold": used.diversity,
            "correlation_threshold": used.correlation,
            "n": len(some.z),
            "features": some.z.shape[1],
        }
        for kind, found in trials.items()
        for number, (some, one) in enumerate(zip(found, at[kind], strict=True))
    ]
    return pd.DataFrame(rows)


MEASURED = ("diversity", "correlation", "accuracy")


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation (n - 1) over trials, a row a kind: diversity, diversity_sd, and so on."""
    found = rows.groupby("kind", sort=False)[list(MEASURED)].agg(["mean", "std"])
    found.columns = pd.Index([f"{name}{end}" for name in MEASURED for end in ("", "_sd")])
    return found


#: What is said of a shift that is there, and of one that is not.
_MEANING = {
    "diversity": (
        "one side shows features that the other lacks: a network trained on A meets unknown images in B",
        "no feature is found on one side only",
    ),
    "correlation": (
        "features that both sides show go with other labels: a network that trusts them in A errs in B",
        "the same features go with the same labels",
    ),
}
NOTICED = 0.02
"""A shift counts as seen where its mean is so far above every trial of the control."""


def explain(rows: pd.DataFrame) -> list[str]:
    """Return sentences that say what the rows of `measure` mean, and which of them are not to be trusted."""
    mean, control = summarise(rows).loc[OOD], rows[rows["kind"] == IID]
    said = []
    for name, (seen, unseen) in _MEANING.items():
        there = mean[name] > control[name].max() + NOTICED
        said.append(f"{name} {mean[name]:.2f}: {seen if there else f'{unseen}, beyond the control'}")
    if mean["accuracy"] <= control["accuracy"].max():
        said.append(
            "warning: no classifier tells the two sides apart, so that nothing shows that they differ"
        )
    if (off := control[["diversity", "correlation"]].mean()).max() > 2 * CALIBRATED[1]:
        said.append(
            f"the control, without any shift, has {off.idxmax()} {off.max():.2f}: so much of it is noise; calibrated "
            "thresholds bring it to 0.01"
        )
    return said


def flip_correlation(e_p: float, e_q: float, form: str) -> float:
    """Return the true correlation where a binary feature is the label, flipped with probability e_p or e_q.

    Both labels equally frequent; the diversity is 0.
    """
    check_form(form)
    if form == "original":
        return abs(e_p - e_q)
    return 1 - math.sqrt(e_p * e_q) - math.sqrt((1 - e_p) * (1 - e_q))


def flip_accuracy(e_p: float, e_q: float) -> float:
    """Return the best accuracy of finding the side, from that feature and the label; without the label 1/2."""
    return (1 + abs(e_p - e_q)) / 2
