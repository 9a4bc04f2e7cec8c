"""The static site and the report of a run: what is on disk, as pages that open offline from a file."""
