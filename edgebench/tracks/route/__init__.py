"""Route: send each stage of many users' workflows to a model instance."""
