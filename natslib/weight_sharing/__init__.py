"""Searches that train one network for all candidates: the nine of NATS-Bench, DARTS-PT and NAS-OoD. They need torch.

The names are here without torch; a method's file is imported when it is asked for.
"""

import importlib
from typing import TYPE_CHECKING

from natslib.errors import unknown_name

if TYPE_CHECKING:
    from natslib.weight_sharing.method import Method

METHODS: dict[str, str] = {
    "rsps": "rsps:Rsps",
    "darts-v1": "darts:DartsV1",
    "darts-v2": "darts:DartsV2",
    "gdas": "gdas:Gdas",
    "setn": "setn:Setn",
    "enas": "enas:Enas",
    "tas": "tas:Tas",
    "fbnetv2": "fbnetv2:FbnetV2",
    "tunas": "tunas:Tunas",
    "darts-pt": "darts_pt:DartsPt",
    "darts-pt-fixed": "darts_pt:DartsPtFixed",
    "darts-pt-magnitude": "darts_pt:DartsPtMagnitude",
    "nas-ood": "nas_ood:NasOod",
    "nas-ood-bilevel": "nas_ood:NasOodBilevel",
    "nas-ood-no-reversal": "nas_ood:NasOodNoReversal",
    "nas-ood-no-transport": "nas_ood:NasOodNoTransport",
    "nas-ood-no-cycle": "nas_ood:NasOodNoCycle",
}
"""Where each method is: a file of this package and the class in it."""


def get_method(name: str) -> "type[Method]":
    """Return the method of that name; raises `UnknownName`."""
    if name not in METHODS:
        raise unknown_name("weight-sharing method", name, METHODS)
    file, method = METHODS[name].split(":")
    return getattr(importlib.import_module(f"{__name__}.methods.{file}"), method)


__all__ = ["METHODS", "get_method"]
