"""Reference agents of the Route track, one file each."""
