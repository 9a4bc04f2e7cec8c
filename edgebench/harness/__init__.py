"""Agents in their own process, episodes, metrics, statistics."""
