"""The published tables of learning methods: what is trained and played for each, the runs, and the pages."""
