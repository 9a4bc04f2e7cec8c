# expected: error
# ruff: noqa: PTH123
"""Writes file after file into its working folder."""

import itertools


def act(observation, info):
    for number in itertools.count():
        with open(f"{number}.bin", "wb") as file:
            file.write(bytes(2**20))
