"""Learning: decisions shown as rows, methods that learn from them, checkpoints. Needs `edgebench[agents]`."""
