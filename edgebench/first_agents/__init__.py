"""Agents to begin with, one file a track: `edgebench init` writes them out as they stand here."""
