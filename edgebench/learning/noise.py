"""Coloured noise: random numbers that hang together over time.

The power at frequency f falls with `f ** -beta`: 0 is white, 1 pink. Made in the frequency domain (Timmer and König,
"On generating power law noise", Astronomy and Astrophysics 300, 1995), so that the last number is followed by the first
as any by its next.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def coloured_noise(shape: tuple[int, ...], beta: float, generator: torch.Generator) -> Tensor:
    """Gaussian processes along the last axis, every number of mean 0 and variance 1.

    Args:
        shape: Of the result; the last entry is how long a process is, an even number.
        beta: How fast the power falls.
        generator: Of the random numbers.
    """
    length = shape[-1]
    frequency = torch.arange(length // 2 + 1, dtype=torch.float32)
    frequency[0] = 1.0  # the lowest but for the mean, which wanders as slowly
    amplitude = frequency.pow(-beta / 2.0)
    drawn = torch.randn((2, *shape[:-1], length // 2 + 1), generator=generator)
    drawn[1][..., 0], drawn[1][..., -1] = 0.0, 0.0
    drawn[0][..., 0] *= math.sqrt(2.0)
    drawn[0][..., -1] *= math.sqrt(2.0)
    noise = torch.fft.irfft(torch.complex(drawn[0], drawn[1]) * amplitude, n=length)
    power = 2.0 * amplitude.square()
    variance = 2.0 * power.sum() - power[0] - power[-1]
    coloured: Tensor = noise * (length / variance.sqrt())
    return coloured


def uniform_of(normal: Tensor) -> Tensor:
    """Standard normal numbers as ones within (0, 1): their distribution function."""
    uniform: Tensor = torch.special.ndtr(normal).clamp(1e-7, 1.0 - 1e-7)
    return uniform
