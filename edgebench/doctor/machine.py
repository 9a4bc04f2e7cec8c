"""What machine this is: system, cores, GPU."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator

from edgebench.crew import cores
from edgebench.doctor.finding import NOTE, OK, Finding


def examine_machine() -> Iterator[Finding]:
    """System, cores and GPU."""
    yield Finding("machine", "system", OK, platform.platform())
    yield Finding("machine", "cores", OK, str(cores()))
    yield _gpu()


def _gpu() -> Finding:
    """What `edgebench train --device cuda` would find."""
    if importlib.util.find_spec("torch") is None:
        return Finding("machine", "GPU", NOTE, "not asked for: that needs torch", 'pip install "edgebench[agents]"')
    import torch

    if not torch.cuda.is_available():
        return Finding("machine", "GPU", NOTE, "none that torch can use; edgebench train learns on the CPU")
    names = ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
    return Finding("machine", "GPU", OK, names)
