# expected: ok
"""Calls a listener on this machine by TCP and by UDP, and one in the file system's root by a name of its own."""

import socket

TARGETS = [
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int("@PORT@"))),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int("@PORT@"))),
    (socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
    (socket.AF_UNIX, socket.SOCK_STREAM, "\0@TOKEN@"),
]


def reaches(family, kind, address):
    with socket.socket(family, kind) as caller:
        caller.settimeout(0.2)
        try:
            caller.connect(address)
            caller.send(b"the answers, please")
        except OSError:
            return False
    return True


def act(observation, info):
    return 2 if any(reaches(*target) for target in TARGETS) else 1
