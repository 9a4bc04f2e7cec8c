"""Messages between the harness and an agent's process: data only, nothing in them can run.

**Down**, to the agent, goes a tree of dictionaries with string keys whose leaves are None, bool, int (64 bits), float,
str or a numeric array: a header (magic, size of the layout, size of the values), the layout as ASCII JSON, and the
values as little-endian bytes. In the layout a list stands for the next value: `[dtype, [shape]]` an array, `["int"]`
and `["float"]` 8 bytes; strings, truth values and null stand for themselves. Every value begins on a multiple of 8
bytes. The layout of one decision is that of the next, so both sides remember it and only copy bytes.

**Up**, to the harness, go replies of 512 bytes each: a fixed record and one line of text. No parser ever sees what an
agent sends, and a pipe writes so few bytes in one piece, so two writers never mix. An action that is an array follows
its record as bare little-endian numbers, as many as the harness said beforehand.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Message: TypeAlias = Mapping[str, Any]

DOWN_LIMIT: Final = 64 * 2**20
"""Largest message to an agent, in bytes: the topology of a region of thousands of nodes with room to spare."""

_HEADER: Final = struct.Struct("<4sIQ")
_MAGIC: Final = b"EBw1"
_DEPTH: Final = 8
_ALIGN: Final = 8
_INT: Final = struct.Struct("<q")
_FLOAT: Final = struct.Struct("<d")
_KINDS: Final = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
_DTYPES: Final = {name: np.dtype(name) for name in _KINDS}
_NAMES: Final = {dtype: name for name, dtype in _DTYPES.items()}
_NUMPY_SCALARS: Final = (np.bool_, np.integer, np.float16, np.float32, np.float64)
_INT_LEAF: Final = ("int",)
_FLOAT_LEAF: Final = ("float",)
_REMEMBERED: Final = 64
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class WireError(Exception):
    """A message that cannot be sent, or bytes that are not a message."""


# --- down: trees ---------------------------------------------------------------------------------


def encode(message: Message, *, limit: int = DOWN_LIMIT) -> bytes:
    """The bytes of `message`.

    Raises:
        WireError: A key is not a string, a value has a type that is no data, the tree is deeper than 8,
            or the message is longer than `limit` bytes.
    """
    values: list[bytes] = []
    text = _layout_text(_pack(message, values, _DEPTH))
    body = b"".join(values)
    if _HEADER.size + len(text) + len(body) > limit:
        raise WireError(f"a message of {len(text) + len(body)} bytes is over the limit of {limit}")
    return _HEADER.pack(_MAGIC, len(text), len(body)) + text + body


def _pack(value: Any, values: list[bytes], depth: int) -> Any:
    """The layout of `value` as nested tuples; its bytes are added to `values`."""
    kind = type(value)
    if kind is np.ndarray:
        return _pack_array(value, values)
    if kind is int:
        return _pack_int(value, values)
    if kind is float:
        values.append(_FLOAT.pack(value))
        return _FLOAT_LEAF
    if kind is str or kind is bool or value is None:
        return ("plain", value)
    if isinstance(value, Mapping):
        return _pack_tree(value, values, depth)
    if isinstance(value, _NUMPY_SCALARS):
        return _pack(value.item(), values, depth)
    raise WireError(f"{kind.__name__} is no data")


def _pack_int(value: int, values: list[bytes]) -> tuple[str]:
    try:
        values.append(_INT.pack(value))
    except struct.error as error:
        raise WireError("an integer of more than 64 bits") from error
    return _INT_LEAF


def _pack_tree(tree: Mapping[Any, Any], values: list[bytes], depth: int) -> tuple[Any, ...]:
    if depth == 0:
        raise WireError(f"a tree deeper than {_DEPTH}")
    for key in tree:
        if type(key) is not str:
            raise WireError(f"the key {key!r} is not a string")
    return ("tree", *tree, *[_pack(value, values, depth - 1) for value in tree.values()])


def _pack_array(array: NDArray[Any], values: list[bytes]) -> tuple[Any, ...]:
    name = _NAMES.get(array.dtype)
    if name is None or array.ndim > _DEPTH:
        raise WireError(f"an array of type {array.dtype} and {array.ndim} dimensions is no data")
    data = array.tobytes()
    values.append(data)
    if len(data) % _ALIGN:
        values.append(bytes(-len(data) % _ALIGN))
    return ("array", name, array.shape)


@lru_cache(_REMEMBERED)
def _layout_text(layout: tuple[Any, ...]) -> bytes:
    text = _dumps(_layout_tree(layout)).encode("ascii")
    return text + b" " * (-len(text) % _ALIGN)


def _layout_tree(layout: tuple[Any, ...]) -> Any:
    kind, *parts = layout
    if kind == "tree":
        half = len(parts) // 2
        return {key: _layout_tree(part) for key, part in zip(parts[:half], parts[half:], strict=True)}
    if kind == "plain":
        return parts[0]
    return parts if kind == "array" else [kind]


def decode(frame: bytes | bytearray, *, limit: int = DOWN_LIMIT) -> dict[str, Any]:
    """The message in `frame`; arrays are views of it, writable where it is a bytearray.

    Raises:
        WireError: The bytes are not exactly one well-formed message of at most `limit` bytes.
    """
    if len(frame) < _HEADER.size or len(frame) != frame_size(frame, limit=limit):
        raise WireError("the length differs from the one stated")
    start = _HEADER.size + _HEADER.unpack_from(frame)[1]
    plan = _plan(bytes(frame[_HEADER.size : start]))
    if start + plan.size != len(frame):
        raise WireError("values and layout differ in length")
    message: dict[str, Any] = _unpack(plan.tree, frame, start)
    return message


@dataclass(frozen=True)
class _Value:
    """Where a value lies: `dtype` of an array (None: a number) and its offset from the first value."""

    offset: int
    dtype: np.dtype[Any] | None
    shape: tuple[int, ...]
    number: struct.Struct


@dataclass(frozen=True)
class _Plan:
    """A layout read once: the tree with a `_Value` for every list, and the length of all values in bytes."""

    tree: dict[str, Any]
    size: int


@lru_cache(_REMEMBERED)
def _plan(text: bytes) -> _Plan:
    try:
        tree = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise WireError("the layout is not JSON") from error
    if type(tree) is not dict:
        raise WireError("the layout is not a tree")
    planned, size = _plan_tree(tree, 0, _DEPTH)
    return _Plan(planned, size)


def _plan_tree(tree: dict[str, Any], offset: int, depth: int) -> tuple[dict[str, Any], int]:
    if depth == 0:
        raise WireError(f"a tree deeper than {_DEPTH}")
    planned: dict[str, Any] = {}
    for key, part in tree.items():
        kind = type(part)
        if kind is dict:
            planned[key], offset = _plan_tree(part, offset, depth - 1)
        elif kind is list:
            planned[key], offset = _plan_value(part, offset)
        elif kind is str or kind is bool or part is None:
            planned[key] = part
        else:
            raise WireError("a number in the layout")
    return planned, offset


def _plan_value(description: list[Any], offset: int) -> tuple[_Value, int]:
    if description in (["int"], ["float"]):
        number = _INT if description == ["int"] else _FLOAT
        return _Value(offset, None, (), number), offset + _ALIGN
    if len(description) != 2 or type(description[0]) is not str or type(description[1]) is not list:
        raise WireError("a list that describes no value")
    name, shape = description
    if name not in _DTYPES or len(shape) > _DEPTH:
        raise WireError("an array of unknown type")
    if not all(type(length) is int and 0 <= length < 2**31 for length in shape):
        raise WireError("an array of impossible shape")
    size = math.prod(shape) * _DTYPES[name].itemsize
    return _Value(offset, _DTYPES[name], tuple(shape), _INT), offset + size + -size % _ALIGN


def _unpack(tree: dict[str, Any], frame: bytes | bytearray, start: int) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for key, part in tree.items():
        kind = type(part)
        if kind is dict:
            message[key] = _unpack(part, frame, start)
        elif kind is not _Value:
            message[key] = part
        elif part.dtype is None:
            message[key] = part.number.unpack_from(frame, start + part.offset)[0]
        else:
            message[key] = _array(part, frame, start)
    return message


def _array(value: _Value, frame: bytes | bytearray, start: int) -> NDArray[Any]:
    array: NDArray[Any] = np.ndarray(value.shape, value.dtype, frame, start + value.offset)
    if array.dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
        raise WireError("a truth value that is neither 0 nor 1")
    return array


def frame_size(head: bytes | bytearray, *, limit: int = DOWN_LIMIT) -> int:
    """Bytes of the whole message that begins with `head` (16 bytes at least); WireError when it is none or too long."""
    magic, text, body = _HEADER.unpack_from(head)
    size = _HEADER.size + int(text) + int(body)
    if magic != _MAGIC or text % _ALIGN or size > limit:
        raise WireError("not a message, or one over the limit")
    return size


def read_frame(read: Callable[[int], bytes], *, likely: int = 65536, limit: int = DOWN_LIMIT) -> bytearray:
    """One whole frame from a stream that carries one message at a time.

    Args:
        read: Returns the next bytes of the stream, at most so many, waiting for them; nothing at its end.
        likely: A guess at the message's length; a good one saves time.
        limit: Largest message accepted, in bytes.

    Raises:
        EOFError: The stream ended.
        WireError: Not a message, one that is too long, or more than one.
    """
    frame = bytearray(_some(read, max(likely, _HEADER.size)))
    while len(frame) < _HEADER.size:
        frame += _some(read, _HEADER.size)
    size = frame_size(frame, limit=limit)
    while len(frame) < size:
        frame += _some(read, size - len(frame))
    if len(frame) > size:
        raise WireError("more than one message at a time")
    return frame


def _some(read: Callable[[int], bytes], most: int) -> bytes:
    data = read(most)
    if not data:
        raise EOFError
    return data


# --- up: replies ---------------------------------------------------------------------------------

DONE, ACTION, INVALID, ERROR, ARRAY = range(5)
"""What a reply says: loaded or reset; a decision; an answer that is no action; a failure; a decision that follows."""
DETAIL_CHARS: Final = 480
"""Longest line of text in a reply."""

_REPLY: Final = struct.Struct(f"<4sIQqQ{DETAIL_CHARS}s")
_REPLY_MAGIC: Final = b"EBr1"
_NO_TEXT: Final = bytes(DETAIL_CHARS)
REPLY_BYTES: Final = _REPLY.size
"""Length of every reply's record."""


class Reply(NamedTuple):
    """An agent's answer.

    Attributes:
        sequence: Number of the question answered.
        outcome: `DONE`, `ACTION`, `INVALID`, `ERROR` or `ARRAY`.
        action: The decision, or how many bytes of it follow; after loading, 1 where `act` takes the info too.
        cpu_ns: CPU time of the decision.
        detail: One line of printable ASCII on what went wrong.
        values: The bytes of a decision that is an array.
    """

    sequence: int
    outcome: int
    action: int = 0
    cpu_ns: int = 0
    detail: str = ""
    values: bytes = b""


def pack_reply(reply: Reply) -> bytes:
    """The 512 bytes of a reply and its values; what cannot be shown in `detail` is escaped, too long a line cut off."""
    sequence, outcome, action, cpu_ns, detail, values = reply
    return _REPLY.pack(_REPLY_MAGIC, outcome, sequence, action, cpu_ns, _printable(detail) if detail else b"") + values


def _printable(text: str) -> bytes:
    line = text.encode("ascii", "backslashreplace").decode()
    return "".join(char if char.isprintable() else " " for char in line)[:DETAIL_CHARS].encode()


def unpack_reply(frame: bytes | bytearray) -> Reply:
    """The reply whose record is `frame`; WireError when it is none."""
    if len(frame) != _REPLY.size:
        raise WireError("a reply of the wrong length")
    magic, outcome, sequence, action, cpu_ns, text = _REPLY.unpack(frame)
    if text == _NO_TEXT and magic == _REPLY_MAGIC and outcome <= ARRAY:
        return Reply(sequence, outcome, action, cpu_ns)
    line = text.rstrip(b"\0")
    if magic != _REPLY_MAGIC or outcome > ARRAY or not (line.isascii() and line.decode("latin-1").isprintable()):
        raise WireError("not a reply")
    return Reply(sequence, outcome, action, cpu_ns, line.decode("ascii"))
