"""Reference agents of the Offload track."""
