"""Submissions, checks and ranking."""
