"""A small network for Route: one and the same net looks at each candidate, so it learns from all 32 at once."""

import torch
from torch import nn

from edgebench.tracks.route.features import CANDIDATE_FEATURES, TASK_FEATURES


class CandidateScorer(nn.Module):
    """Two numbers for each candidate: a score, which serves as its logit, and a share in the value of the state."""

    def __init__(self, width: int = 64, *, known_beside: int = 0) -> None:
        """`known_beside`: how many numbers follow the entries of `task`, for an environment that shows more."""
        super().__init__()
        features = len(CANDIDATE_FEATURES) + len(TASK_FEATURES) + known_beside
        self.net = nn.Sequential(nn.Linear(features, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.head = nn.Linear(width, 2)

    def forward(
        self, candidates: torch.Tensor, task: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(..., F, K), (..., T), (..., K) to scores (..., K) and values (..., 1); seconds enter as log(1 + s)."""
        columns = candidates.transpose(-1, -2)
        tasks = task.unsqueeze(-2).expand(*columns.shape[:-1], task.shape[-1])
        outputs = self.head(self.net(torch.log1p(torch.cat([columns, tasks], -1))))
        valid = mask.to(outputs.dtype)
        values = (outputs[..., 1] * valid).sum(-1, keepdim=True) / valid.sum(-1, keepdim=True).clamp(min=1.0)
        return outputs[..., 0], values
