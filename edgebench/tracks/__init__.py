"""The decision problems, a folder each, all of the same parts; `edgebench.registry.TRACKS` is the table of them."""
