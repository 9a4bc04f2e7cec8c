"""What is to be trained: everything that decides what a training run learns, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgebench.errors import EdgeBenchError
from edgebench.registry import DEFAULT_SCENARIO, DEFAULT_TRACK, SAMPLE_EDITION

SINGLE = "single"


@dataclass(frozen=True)
class Job:
    """One training run.

    Attributes:
        method: A name of `edgebench.learning.methods.method_files`.
        track: The decision problem.
        face: A key of the track's `worlds`.
        regions: Names of built regions.
        edition: Which build of them.
        scenario: How the network behaves.
        steps: Decisions to learn from.
        seed: Of everything that is drawn.
        settings: The method's, where they are not its defaults.
        face_settings: The face's, where they are not its defaults.
        validations: How often `val` is played to choose the checkpoint.
        device: `cpu` or `cuda`.
    """

    method: str
    track: str = DEFAULT_TRACK
    face: str = SINGLE
    regions: tuple[str, ...] = ("s1", "s2", "s3")
    edition: str = SAMPLE_EDITION
    scenario: str = DEFAULT_SCENARIO
    steps: int = 1_000_000
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    face_settings: Mapping[str, Any] = field(default_factory=dict)
    validations: int = 10
    device: str = "cpu"

    def as_json(self) -> dict[str, Any]:
        """The job as plain values."""
        return dataclasses.asdict(self) | {"regions": list(self.regions)}

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Job:
        """The job that `as_json` told; EdgeBenchError where something is missing or unknown."""
        names = {field.name for field in dataclasses.fields(cls)}
        if fields.keys() != names:
            raise EdgeBenchError(f"not the record of a job: {', '.join(sorted(names ^ fields.keys()))}")
        return cls(**{**fields, "regions": tuple(fields["regions"])})
