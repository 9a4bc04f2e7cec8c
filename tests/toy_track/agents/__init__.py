"""Reference agents of the toy track."""
