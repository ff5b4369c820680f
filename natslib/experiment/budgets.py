"""The simulated time budgets of the papers, and which columns a search of theirs sees."""

from natslib.errors import ConfigError, unknown_name

RUNS = 500
"""Independent runs of each multi-trial search, in both papers."""

NATS_BENCH_BUDGETS_S: dict[tuple[str, str], float] = {
    ("tss", "cifar10"): 20_000.0,
    ("tss", "cifar100"): 40_000.0,
    ("tss", "ImageNet16-120"): 120_000.0,
    ("sss", "cifar10"): 20_000.0,
    ("sss", "cifar100"): 40_000.0,
    ("sss", "ImageNet16-120"): 60_000.0,
}
"""Seconds, by space and dataset, for scores after 12 epochs (NATS-Bench, multi-trial experiments)."""

PROXY_BUDGETS_S: dict[tuple[str, str], float] = {
    ("tss", "cifar10"): 1_200_000.0,
    ("sss", "cifar10"): 200_000.0,
}
"""Seconds to which NATS-Bench draws search by a short training against search by the full one."""

NAS_BENCH_201_BUDGET_S = 12_000.0
"""Seconds; NAS-Bench-201 searches on CIFAR-10 only, and drops the evaluation that would exceed the budget."""

PAPER_EPOCHS = 12


def paper_budget_s(space: str, dataset: str, epochs: int = PAPER_EPOCHS) -> float:
    """Return the budget of NATS-Bench in seconds, scaled to evaluations of `epochs` epochs instead of 12.

    Raises `ConfigError` for a dataset that the paper does not search on.
    """
    if (space, dataset) not in NATS_BENCH_BUDGETS_S:
        listed = ", ".join("/".join(key) for key in NATS_BENCH_BUDGETS_S)
        raise ConfigError(
            f"the paper has no time budget for {space}/{dataset} (it has {listed}); give one in seconds (--time-s)"
        )
    return NATS_BENCH_BUDGETS_S[space, dataset] * epochs / PAPER_EPOCHS


def searched_columns(dataset: str) -> dict[str, str]:
    """Return training set and split that a search on `dataset` is scored on: never a test set.

    CIFAR-10 is scored on the half of its training images that `cifar10-valid` leaves out.
    """
    return {"dataset": "cifar10-valid" if dataset == "cifar10" else dataset, "split": "valid"}


def reported_columns(dataset: str, what: str) -> dict[str, str]:
    """Return training set and split of the reported accuracy; `what` is "valid" or "test".

    The test accuracy of CIFAR-10 is that of networks trained on all its training images.
    """
    if what not in ("valid", "test"):
        raise unknown_name("reported accuracy", what, ("valid", "test"))
    return searched_columns(dataset) if what == "valid" else {"dataset": dataset, "split": "test"}
