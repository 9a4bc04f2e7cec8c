"""The Offload environments' documentation page."""
PAGE = "todo"
