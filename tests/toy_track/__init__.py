"""A decision problem from outside the package: which of four sites has room? All parts of a track, each in a file."""
