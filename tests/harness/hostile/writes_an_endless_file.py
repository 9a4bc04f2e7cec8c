# expected: error
# ruff: noqa: PTH123
"""Writes one file without end."""


def act(observation, info):
    with open("endless.bin", "wb") as file:
        while True:
            file.write(bytes(2**16))
