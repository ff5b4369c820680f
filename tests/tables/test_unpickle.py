"""Hostile pickles are refused with a reason, and nothing in them is executed."""

import bz2
import pickle
import struct

import pytest

from natslib.errors import BadSource
from natslib.tables.sources.unpickle import decompress, loads


def call(module: str, name: str, argument: str) -> bytes:
    """A pickle that calls module.name(argument) when loaded by the standard unpickler."""
    return (
        b"\x80\x04"
        + b"\x8c" + bytes([len(module)]) + module.encode()
        + b"\x8c" + bytes([len(name)]) + name.encode()
        + b"\x93\x8c" + bytes([len(argument)]) + argument.encode() + b"\x85R."
    )  # fmt: skip


def nested_tuple(depth: int) -> bytes:
    return b"\x80\x04}" + b")" + b"\x85" * depth + b"K\x01s."


CALLS = [
    ("os", "system", "touch {}"),
    ("posix", "system", "touch {}"),
    ("subprocess", "Popen", "touch {}"),
    ("subprocess", "check_output", "touch {}"),
    ("builtins", "eval", "open('{}', 'w')"),
    ("builtins", "exec", "open('{}', 'w')"),
    ("builtins", "open", "{}"),
    ("builtins", "getattr", "x"),
    ("builtins", "__import__", "os"),
    ("builtins", "print", "x"),
    ("importlib", "import_module", "antigravity"),
    ("runpy", "run_path", "{}"),
    ("shutil", "rmtree", "{}"),
    ("numpy", "load", "{}"),
    ("numpy", "fromfile", "{}"),
    ("numpy.core.multiarray", "_reconstruct", "x"),
    ("numpy._core.multiarray", "_reconstruct", "x"),
    ("torch", "load", "{}"),
    ("torch.hub", "load", "x"),
    ("pickle", "loads", "x"),
    ("collections", "OrderedDict.__init__", "x"),
    ("natslib.commands", "main", "x"),
    ("codecs", "encode", "x"),
    ("operator", "attrgetter", "x"),
    ("pandas", "read_pickle", "{}"),
    ("functools", "partial", "x"),
]


@pytest.mark.parametrize(("module", "name", "argument"), CALLS, ids=[f"{m}.{n}" for m, n, _ in CALLS])
def test_calls_are_refused_and_not_made(module, name, argument, tmp_path):
    trace = tmp_path / "trace"
    with pytest.raises(BadSource, match="nothing was executed"):
        loads(call(module, name, argument.format(trace)))
    assert not trace.exists()


def test_the_same_pickle_would_do_harm_in_the_standard_unpickler(tmp_path):
    trace = tmp_path / "trace"
    pickle.loads(call("builtins", "eval", f"open('{trace}', 'w')")).close()
    assert trace.exists()


OTHERS = {
    "old-style GLOBAL": b"cos\nsystem\n(S'true'\ntR.",
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "a reduce inside an allowed reduce": b"\x80\x04ccollections\nOrderedDict\n(cos\nsystem\n(S'true'\ntRtR.",
    "a persistent id": b"\x80\x04Pfile\n.",
    "a copyreg extension": b"\x80\x04\x82\x01.",
    "a dtype of objects": b"\x80\x04cnumpy\ndtype\n(X\x01\x00\x00\x00OI00\nI01\ntR.",
    "a dtype state that is none": (
        b"\x80\x04cnumpy\ndtype\n(X\x02\x00\x00\x00f8I00\nI01\ntR(I3\nX\x01\x00\x00\x00>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb."
    ),
    "a scalar of two bytes": (
        b"\x80\x04cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\x02\x00\x00\x00f8tRC\x02abtR."
    ),
    "a scalar without a dtype": b"\x80\x04cnumpy.core.multiarray\nscalar\n(NC\x08abcdefghtR.",
    "OrderedDict called with a number": b"\x80\x04ccollections\nOrderedDict\nK\x05\x85R.",
    "state set on a dict": b"\x80\x04}}X\x05\x00\x00\x00itemsK\x01sb.",
    "state set on a stand-in": b"\x80\x04cnumpy.core.multiarray\nscalar\nN}X\x0c\x00\x00\x00__defaults__K\x01s\x86b.",
    "a huge memo slot": b"\x80\x04Nr\xff\xff\xff\x7f.",
    "a huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "a huge string": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
    "a huge frame": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N.",
    "a huge integer": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "a negative length": b"\x80\x02\x8b" + struct.pack("<i", -1) + b".",
    "items set on nothing": b"\x80\x04K\x01K\x02s.",
    "an unhashable key": b"\x80\x04}]K\x01s.",
    "an empty file": b"",
    "no end": b"\x80\x04}",
    "text": b"hello, world",
    "an unknown protocol": b"\x80\x63}.",
    "a pop of nothing": b"\x80\x040.",
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=OTHERS.keys())
def test_damaged_and_hostile_streams_are_refused(data):
    with pytest.raises(BadSource):
        loads(data)


def test_a_memory_bomb_is_stopped(monkeypatch):
    monkeypatch.setattr("natslib.tables.sources.unpickle.MAX_MEMORY", 100 * 2**20)
    doubling = b"\x80\x04]\x94" + b"(h\x00h\x00e0h\x00" * 3 + b"."
    assert loads(doubling) is not None  # references are cheap and stay so
    zeros = b"\x80\x04" + b"B" + struct.pack("<I", 2**20) + b"\x00" * 2**20 + b"0."
    with pytest.raises(BadSource):
        loads(zeros)
    many = b"\x80\x04(" + b"]" * 12_000_000 + b"l."
    with pytest.raises(BadSource, match="MemoryError"):
        loads(many)


def test_a_bz2_bomb_is_stopped():
    with pytest.raises(BadSource, match="unpacks to more than 1,000,000 bytes"):
        decompress(bz2.compress(b"\x00" * 50_000_000), max_bytes=1_000_000)


def test_damage_to_the_packed_bytes_is_found_wherever_it_is():
    packed = bz2.compress(pickle.dumps({"a": list(range(1000))}))
    assert loads(decompress(packed)) == {"a": list(range(1000))}
    for cut in (0, 1, 10, len(packed) - 1):
        with pytest.raises(BadSource, match="bz2"):
            decompress(packed[:cut])
    for position in range(0, len(packed), 7):
        flipped = bytearray(packed)
        flipped[position] ^= 0x10
        with pytest.raises(BadSource, match=r"bz2|unpacks"):
            decompress(bytes(flipped))
    with pytest.raises(BadSource, match="follow"):
        decompress(packed + b"x")


def test_weights_of_the_full_archives_are_dropped_without_torch_being_asked():
    tensor = (
        b"\x80\x04ctorch._utils\n_rebuild_tensor_v2\n(ctorch.storage\n_load_from_bytes\n(C\x04evil\x74RK\x00K\x01\x85K\x01\x85"
        b"\x89ccollections\nOrderedDict\n)RtR."
    )
    assert loads(tensor) is None


def test_what_official_files_hold_is_read():
    import collections

    import numpy as np

    record = {"a": collections.OrderedDict([(0, 1.5)]), ("x", 777): [np.float64(0.25)], "n": None, "t": True}
    assert loads(pickle.dumps(record, protocol=4)) == {
        "a": {0: 1.5},
        ("x", 777): [0.25],
        "n": None,
        "t": True,
    }
