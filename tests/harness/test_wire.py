import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from edgebench.harness.wire import (
    DETAIL_CHARS,
    ERROR,
    Reply,
    WireError,
    decode,
    encode,
    pack_reply,
    read_frame,
    unpack_reply,
)

_dtypes = st.sampled_from(["?", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
_arrays = _dtypes.flatmap(lambda name: npst.arrays(name, npst.array_shapes(min_dims=0, max_dims=3, min_side=0)))
_scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text()
_messages = st.recursive(
    st.dictionaries(st.text(max_size=5), _scalars | _arrays, max_size=4),
    lambda inner: st.dictionaries(st.text(max_size=5), _scalars | _arrays | inner, max_size=3),
    max_leaves=5,
)


def same(one, other):
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, np.ndarray):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return type(one) is type(other) and (one == other or (one != one and other != other))


def frame(text: str, body: bytes = b"") -> bytes:
    padded = text.encode() + b" " * (-len(text.encode()) % 8)
    return struct.pack("<4sIQ", b"EBw1", len(padded), len(body)) + padded + body


@settings(deadline=None)
@given(_messages)
def test_a_message_comes_back_the_same(message):
    assert same(decode(encode(message)), message)


@settings(deadline=None)
@given(_messages, st.data())
def test_a_damaged_message_is_refused_or_is_still_data(message, data):
    damaged = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode(damaged)
    except WireError:
        return
    assert same(decode(encode(decoded)), decoded)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_refused(noise):
    with pytest.raises(WireError):
        decode(noise)


@settings(deadline=None)
@given(_messages, st.integers(1, 40))
def test_a_cut_message_is_refused(message, cut):
    whole = encode(message)
    with pytest.raises(WireError):
        decode(whole[: max(0, len(whole) - cut)])


BAD = [
    frame("[]"),
    frame("7"),
    frame('{"a":7}'),
    frame('{"a":1.5}'),
    frame('{"a":[1]}'),
    frame('{"a":[]}'),
    frame('{"a":["int"]}'),
    frame('{"a":["int"]}', bytes(16)),
    frame('{"a":["|O",[1]]}', bytes(8)),
    frame('{"a":["<f8",[-1]]}'),
    frame('{"a":["<f8",[true]]}', bytes(8)),
    frame('{"a":["<f8",[2]]}', bytes(8)),
    frame('{"a":["<f8",[0,4294967296]]}'),
    frame('{"a":["<f8",[2147483647,2147483647]]}'),
    frame('{"a":["|b1",[1]]}', b"\2" + bytes(7)),
    frame("{}", bytes(8)),
    frame('{"a":' + "9" * 5000 + "}"),
    frame('{"a":' * 20 + "null" + "}" * 20),
    frame('{"a":' * 100_000 + "1" + "}" * 100_000),
    frame('{"é":null}'),
    b"EBw1" + bytes(11),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_what_is_no_message_is_refused(bad):
    for _ in range(2):  # what was refused once is not remembered as good
        with pytest.raises(WireError):
            decode(bad)


@pytest.mark.parametrize(
    "value", [[1], (1,), object(), b"x", 2**63, 1j, np.array(["a"]), np.array([None]), np.array([1j]), {1: 2}]
)
def test_what_is_no_data_is_not_sent(value):
    with pytest.raises(WireError):
        encode({"a": value})


def test_a_self_containing_tree_is_not_sent():
    tree: dict[str, object] = {}
    tree["a"] = tree
    with pytest.raises(WireError, match="deeper"):
        encode(tree)


def test_the_limit_holds_on_both_sides():
    long = {"a": "x" * 2000}
    with pytest.raises(WireError, match="over the limit"):
        encode(long, limit=1024)
    with pytest.raises(WireError, match="over the limit"):
        decode(encode(long), limit=1024)


def test_a_remembered_layout_does_not_confuse_values_that_are_equal():
    for value in (1, 1.0, True, 0, 0.0, False, -0.0, "1", None):
        assert same(decode(encode({"a": value})), {"a": value})


def test_what_the_reader_changes_does_not_come_back():
    sent = encode({"a": {"b": 1}, "c": "x"})
    decode(sent)["a"]["b"] = 2
    decode(sent)["c"] = "y"
    assert decode(sent) == {"a": {"b": 1}, "c": "x"}


def test_numpy_scalars_travel_as_plain_numbers():
    sent = {"i": np.int32(3), "f": np.float32(0.5), "b": np.True_}
    assert json.dumps(decode(encode(sent))) == '{"i": 3, "f": 0.5, "b": true}'


def test_arrays_arrive_aligned_and_writable():
    sent = {"odd": np.zeros(3, np.int8), "wide": np.arange(3.0)}
    wide = decode(bytearray(encode(sent)))["wide"]
    wide[0] = 7.0
    assert wide.flags.aligned and wide[0] == 7.0


def test_a_frame_is_read_from_pieces_of_any_size():
    data = encode({"a": np.arange(5)})
    for size in (1, 7, 16, len(data)):
        pieces = iter([data[at : at + size] for at in range(0, len(data), size)])
        assert read_frame(lambda _, pieces=pieces: next(pieces)) == data


def test_the_end_of_a_stream_and_a_second_message_are_told_apart():
    data = encode({"a": 1})
    with pytest.raises(EOFError):
        read_frame(lambda _: b"")
    with pytest.raises(WireError, match="more than one"):
        read_frame(lambda _: data + data)


_replies = st.builds(
    Reply,
    sequence=st.integers(0, 2**64 - 1),
    outcome=st.integers(0, ERROR),
    action=st.integers(-(2**63), 2**63 - 1),
    cpu_ns=st.integers(0, 2**64 - 1),
    detail=st.text(alphabet=st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=DETAIL_CHARS),
    values=st.just(b""),
)


@settings(deadline=None)
@given(_replies)
def test_a_reply_comes_back_the_same(reply):
    data = pack_reply(reply)
    assert len(data) == 512 and unpack_reply(data) == reply


@settings(deadline=None)
@given(st.text())
def test_a_detail_is_shown_on_one_printable_line(detail):
    shown = unpack_reply(pack_reply(Reply(1, ERROR, detail=detail))).detail
    assert shown.isascii() and shown.isprintable() and len(shown) <= DETAIL_CHARS


@settings(deadline=None)
@given(st.binary(max_size=600) | st.binary(min_size=508, max_size=508).map(lambda rest: b"EBr2" + rest))
def test_what_is_no_reply_is_refused(noise):
    with pytest.raises(WireError):
        unpack_reply(noise)


@pytest.mark.parametrize("damage", [(4, 9), (40, 10), (40, 200)])
def test_a_damaged_reply_is_refused(damage):
    data = bytearray(pack_reply(Reply(1, ERROR, detail="it broke")))
    data[damage[0]] = damage[1]
    with pytest.raises(WireError, match="not a reply"):
        unpack_reply(data)
