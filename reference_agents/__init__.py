"""Reference agents, one file each."""
