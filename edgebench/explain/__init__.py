"""Where an agent loses: what its primary metric lacks, part by part, beside a heuristic on the same episodes."""
