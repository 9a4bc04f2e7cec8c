import os
import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebench.harness.channel import TAIL_BYTES, Channel, DeadlineError, Tail
from edgebench.harness.wire import ACTION, ERROR, REPLY_BYTES, Reply, WireError, pack_reply

_replies = st.builds(
    Reply,
    sequence=st.integers(0, 2**64 - 1),
    outcome=st.integers(0, ERROR),
    action=st.integers(-(2**63), 2**63 - 1),
    cpu_ns=st.integers(0, 2**64 - 1),
    detail=st.text(alphabet=st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=40),
    values=st.just(b""),
)
_changes = st.lists(st.tuples(st.integers(0, REPLY_BYTES - 1), st.integers(0, 255)), min_size=1, max_size=6)


@contextmanager
def pipes():
    """A channel, and the child's ends: what it reads, what it writes."""
    child_in, parent_out = os.pipe()
    parent_in, child_out = os.pipe()
    try:
        yield Channel(parent_out, parent_in), child_in, child_out
    finally:
        for fd in (child_in, parent_out, parent_in):
            os.close(fd)


def received(data):
    """What the channel makes of `data` and the end of the stream after it."""
    with pipes() as (channel, _, child_out):
        os.write(child_out, data)
        os.close(child_out)
        return channel.receive(time.monotonic() + 5.0)


def mutated(reply, changes):
    data = bytearray(pack_reply(reply))
    for place, value in changes:
        data[place] = value
    return bytes(data)


@settings(deadline=None)
@given(st.binary(max_size=3 * REPLY_BYTES))
def test_random_bytes_are_refused(noise):
    with pytest.raises((WireError, EOFError)):
        received(noise)


@settings(deadline=None)
@given(_replies, _changes, st.integers(0, 40), st.binary(max_size=40))
def test_a_mutated_reply_is_a_reply_or_is_refused(reply, changes, cut, more):
    data = mutated(reply, changes)
    try:
        found = received(data[: len(data) - cut] + more)
    except (WireError, EOFError):
        return
    assert len(found.detail) <= REPLY_BYTES and found.detail.isprintable() and 0 <= found.outcome <= ERROR


@settings(deadline=None)
@given(_replies, st.integers(1, REPLY_BYTES - 1))
def test_a_reply_in_pieces_is_one_reply(reply, cut):
    data = pack_reply(reply)
    with pipes() as (channel, _, child_out):
        os.write(child_out, data[:cut])
        late = threading.Thread(target=os.write, args=(child_out, data[cut:]))
        late.start()
        assert channel.receive(time.monotonic() + 5.0) == reply
        late.join()
        os.close(child_out)


def test_two_replies_at_once_are_refused():
    with pytest.raises(WireError, match="more than one"):
        received(2 * pack_reply(Reply(1, ACTION)))


def test_no_more_is_read_than_shows_that_it_is_too_much():
    with pipes() as (channel, _, child_out):
        os.write(child_out, bytes(60_000))
        with pytest.raises(WireError):
            channel.receive(time.monotonic() + 5.0)
        assert channel.has_reply()
        os.close(child_out)


def test_the_end_of_the_stream_and_silence_are_told_apart():
    with pytest.raises(EOFError):
        received(b"")
    with pipes() as (channel, _, child_out):
        assert not channel.has_reply()
        with pytest.raises(DeadlineError):
            channel.receive(time.monotonic() + 0.01)
        os.close(child_out)


def test_a_child_that_does_not_read_is_not_waited_for():
    with pipes() as (channel, _, child_out):
        with pytest.raises(DeadlineError):
            channel.send(bytes(2**22), time.monotonic() + 0.01)
        os.close(child_out)


def test_the_tail_keeps_the_end():
    tail = Tail()
    os.write(tail.write_fd, b"a" * 3 * TAIL_BYTES + b"the end")
    os.close(tail.write_fd)
    assert tail.text(5.0).endswith("the end") and len(tail.text()) == TAIL_BYTES
