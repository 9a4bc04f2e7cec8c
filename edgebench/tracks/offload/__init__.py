"""The Offload track: every node splits its users' requests over itself, its neighbours and rejection."""
