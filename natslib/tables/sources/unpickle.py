"""Reading foreign pickles without running what is in them.

The official files hold dicts, lists, tuples, strings, numbers, `OrderedDict` and numpy float scalars; the
`-full` archives also hold torch weights. Only these names are admitted, and each is answered by a harmless
stand-in of ours, so that no foreign code runs and numpy and torch are never asked to rebuild anything.
`StandIn`, `Follower` and `bounded_memory` serve every reader of pickles: batches of images have stand-ins of their own.
"""

import bz2
import contextlib
import io
import pickle
import pickletools
import struct
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from natslib.errors import BadSource, shown

MAX_BYTES = 256 * 2**20
MAX_MEMORY = 1_000 * 2**20
MAX_FRAME = 64 * 2**20
Names = Mapping[tuple[str, str], Any]


class Float64:
    """Stands in for numpy's dtype; accepts only the little-endian float64 of the official files."""

    def __init__(self, code: str, align: bool = False, copy: bool = False):
        if code != "f8":
            raise BadSource(f"a numpy value of type {shown(code)}, where the official files hold only 'f8'")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] != "<":
            raise BadSource(
                f"a numpy dtype with state {str(state)[:80]}, where the official files hold '<f8'"
            )


class StandIn:
    """What a pickle finds under a name; without state, so that it cannot be changed for the files that follow."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise BadSource("it sets state on something that has none in an official file")


class _Float64Scalar(StandIn):
    """Stands in for the function that rebuilds numpy scalars."""

    __slots__ = ()

    def __call__(self, dtype: object, raw: object) -> float:
        if not isinstance(dtype, Float64) or not isinstance(raw, bytes) or len(raw) != 8:
            raise BadSource("a numpy scalar that is not one float64")
        return float(struct.unpack("<d", raw)[0])


class _DroppedWeights(StandIn):
    """Stands in for whatever rebuilds a tensor: weights are not part of a table."""

    __slots__ = ()

    def __call__(self, *_: object) -> None:
        return None


class StateDict(dict[Any, Any]):
    """Stands in for an `OrderedDict` that carries attributes, as torch's state dicts do; they are dropped."""

    def __setstate__(self, state: object) -> None:
        return None


ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): dict,
    ("numpy.core.multiarray", "scalar"): _Float64Scalar(),
    ("numpy._core.multiarray", "scalar"): _Float64Scalar(),
    ("numpy", "dtype"): Float64,
    ("torch._utils", "_rebuild_tensor_v2"): _DroppedWeights(),
    ("torch.storage", "_load_from_bytes"): _DroppedWeights(),
}
WITH_WEIGHTS = ALLOWED | {("collections", "OrderedDict"): StateDict}


def allowed_name(module: str, name: str, allowed: Names = WITH_WEIGHTS, files: str = "official file") -> Any:
    """Return our stand-in for a global of such files; raises `BadSource` for any other name."""
    try:
        return allowed[(module, name)]
    except (KeyError, TypeError):
        raise BadSource(
            f"it asks for {module!s:.60}.{name!s:.60}, which no {files} contains; nothing was executed"
        ) from None


class _Unpickler(pickle.Unpickler):
    allowed = ALLOWED

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        return allowed_name(module, name, self.allowed)

    def persistent_load(self, pid: object) -> Any:
        raise BadSource("it refers to objects outside the file")


class _UnpicklerWithWeights(_Unpickler):
    """Slower: official dicts without attributes are built in one go only when they are plain dicts."""

    allowed = WITH_WEIGHTS


class Follower(pickle._Unpickler):
    """Follows a pickle instruction by instruction, each checked first; a tenth as fast as the standard one in C.

    Names are those of `allowed`, instructions those that a subclass gives `instructions`. Keys of dicts are plain: to
    hash a nested one can take for ever.
    """

    allowed: Names = WITH_WEIGHTS
    files = "official file"

    def find_class(self, module: str, name: str) -> Any:
        return allowed_name(module, name, self.allowed, self.files)

    def load_frame(self) -> None:
        size = int.from_bytes(self.read(8), "little")  # type: ignore[attr-defined]
        if size > MAX_FRAME:
            raise BadSource(f"a frame of {size:,} bytes, more than any {self.files} has")
        self._unframer.load_frame(size)  # type: ignore[attr-defined]

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()  # type: ignore[attr-defined]
        self._checked_fill(self.stack[-1], [key], [value])  # type: ignore[attr-defined]

    def load_setitems(self) -> None:
        items = self.pop_mark()  # type: ignore[attr-defined]
        self._checked_fill(self.stack[-1], items[::2], items[1::2])  # type: ignore[attr-defined]

    def load_dict(self) -> None:
        items = self.pop_mark()  # type: ignore[attr-defined]
        self.append({})  # type: ignore[attr-defined]
        self._checked_fill(self.stack[-1], items[::2], items[1::2])  # type: ignore[attr-defined]

    def _checked_fill(self, target: Any, keys: list[Any], values: list[Any]) -> None:
        if not isinstance(target, dict) or len(keys) != len(values) or not _plain_keys(keys):
            raise BadSource(
                f"items set on something other than a dict, or under keys that no {self.files} has"
            )
        self.fill(target, keys, values)

    def fill(self, target: dict[Any, Any], keys: list[Any], values: list[Any]) -> None:
        """Set items of a dict."""
        target.update(zip(keys, values, strict=True))


def _plain_keys(keys: list[Any]) -> bool:
    types = set(map(type, keys))
    if types <= {str, int, bytes}:
        return True
    pairs = all(
        type(key) is tuple and len(key) == 2 and {type(part) for part in key} <= {str, int} for key in keys
    )
    return types == {tuple} and pairs


def instructions(reader: type[Follower], names: Collection[str]) -> dict[int, Callable[[Any], None]]:
    """Map each instruction to its handler: the reader's own, the standard one if `names` has it, or a refusal."""
    known = {ord(code.code): code.name for code in pickletools.opcodes}
    table: dict[int, Callable[[Any], None]] = {}
    for code, standard in pickle._Unpickler.dispatch.items():
        own = getattr(reader, f"load_{known[code].lower()}", standard)
        table[code] = own if known[code] in names else _refusal(known[code], reader.files)
    return table


def _refusal(name: str, files: str) -> Callable[[Any], None]:
    def refuse(reader: Any) -> None:
        raise BadSource(f"the pickle instruction {name}, which no {files} contains; nothing was executed")

    return refuse


@contextlib.contextmanager
def bounded_memory() -> Iterator[None]:
    """Let this process grow by at most `MAX_MEMORY` bytes, so that a memory bomb ends in a MemoryError (Linux only)."""
    if sys.platform != "linux":
        yield
        return
    import resource

    with open("/proc/self/statm") as statm:
        used = int(statm.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + MAX_MEMORY
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if soft == resource.RLIM_INFINITY else min(limit, soft), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


# What a damaged or hostile stream makes the standard unpickler raise.
DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    struct.error,
)


def decompress(packed: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a complete bz2 file; raises `BadSource` when damaged, cut short, or over `max_bytes`."""
    stream = bz2.BZ2Decompressor()
    try:
        data = stream.decompress(packed, max_length=max_bytes + 1)
    except (OSError, ValueError, EOFError) as error:
        raise BadSource(f"not a whole bz2 file ({error})") from None
    if len(data) > max_bytes:
        raise BadSource(f"it unpacks to more than {max_bytes:,} bytes, more than any official record")
    if not stream.eof or stream.unused_data:
        raise BadSource(
            "not a whole bz2 file (it was cut short)" if not stream.eof else "bytes follow its end"
        )
    return data


def load_whole(reader: Callable[[io.BytesIO], Any], data: bytes) -> Any:
    """Return the object that `reader` of such a stream loads; raises `BadSource` when bytes follow its end."""
    stream = io.BytesIO(data)
    content = reader(stream).load()
    if stream.read(1):
        raise BadSource("bytes follow the end of its pickle")
    return content


def loads(data: bytes) -> Any:
    """Return the object of a pickle that holds nothing beyond `ALLOWED`; raises `BadSource`, executing nothing."""
    try:
        with bounded_memory():
            try:
                return load_whole(_Unpickler, data)
            except AttributeError:  # a dict with attributes: weights
                return load_whole(_UnpicklerWithWeights, data)
    except DAMAGE as error:
        raise BadSource(f"not a readable pickle ({type(error).__name__}: {error!s:.120})") from None
