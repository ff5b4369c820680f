"""What a table is, in the words of Croissant (MLCommons, version 1.0), which dataset searches and loaders read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from natslib.files import write_atomic
from natslib.spaces import get_space
from natslib.tables.format.folder import FINALS_FILE
from natslib.tables.format.schema import UNITS

CROISSANT_FILE = "croissant.json"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_KEYS = {
    "dataset": "The training set.",
    "recipe": "How it was trained.",
    "split": "What was measured on.",
    "seed": "Of the run; -1 is a mean over runs that the source does not list.",
    "arch_index": "The architecture, by its official index in the space.",
    "epoch": "The last one, counted from 0.",
    "cost_mismatch": "Whether stored parameters or FLOPs contradict their closed form.",
}
_CITE = (
    "Dong, Liu, Musial and Gabrys: NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size. "
    "TPAMI 2021. doi:10.1109/TPAMI.2021.3054824"
)


def write_croissant(folder: Path, manifest: Mapping[str, Any], finals: pa.Schema) -> None:
    """Write `croissant.json` into the folder of a table."""
    text = json.dumps(describe(manifest, finals), indent=1)
    write_atomic(folder / CROISSANT_FILE, f"{text}\n".encode())


def describe(manifest: Mapping[str, Any], finals: pa.Schema) -> dict[str, Any]:
    """Return the metadata of a table: its files with their SHA-256, and the columns of its finals."""
    space = get_space(manifest["space"])
    datasets = ", ".join(dict.fromkeys(block["dataset"] for block in manifest["blocks"]))
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": manifest["origin"],
        "description": (
            f"Results of {manifest['architectures']['measured']:,} of {len(space):,} architectures of the "
            f"{space.title} space ({space.name}) on {datasets}: last epochs in finals.parquet, all epochs, where the "
            "source has them, in curves/, a row a run and split in both. A table of natslib."
        ),
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "citeAs": _CITE,
        "version": f"{manifest['format']}.0.0",
        "distribution": [_file(name, digest) for name, digest in sorted(manifest["sha256"].items())],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "finals",
                "name": "finals",
                "description": "A row a run and split, at its last epoch.",
                "field": [_field(field) for field in finals],
            }
        ],
    }


def _file(name: str, digest: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": "application/x-parquet",
        "sha256": digest,
    }


def _field(field: pa.Field) -> dict[str, Any]:
    unit = (field.metadata or {}).get(b"unit", b"").decode() or UNITS.get(field.name, "")
    return {
        "@type": "cr:Field",
        "@id": f"finals/{field.name}",
        "name": field.name,
        "description": _KEYS.get(field.name) or f"In {unit}; empty where not measured.",
        "dataType": _type(field.type),
        "source": {"fileObject": {"@id": FINALS_FILE}, "extract": {"column": field.name}},
    }


def _type(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "sc:Float"
    if pa.types.is_integer(kind):
        return "sc:Integer"
    return "sc:Boolean" if pa.types.is_boolean(kind) else "sc:Text"
