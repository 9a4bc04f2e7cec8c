"""Methods that learn, one a file: what each is, where it comes from, how it differs from there and why."""
