"""Reference agents of the Place track, one file each."""
