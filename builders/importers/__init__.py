"""Readers of earlier data sets: their folders in, regions and a report of every defect out."""
