"""Reference agents of the Allocate track, one file each."""
