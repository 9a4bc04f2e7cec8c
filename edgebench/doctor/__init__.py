"""Whether EdgeBench is in order on a machine: what is installed, where data lies, what works (`edgebench doctor`)."""
