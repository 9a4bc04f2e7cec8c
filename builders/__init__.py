"""Raw cells in, Parquet regions out: one module a step, `pipeline.build` reads top to bottom."""
