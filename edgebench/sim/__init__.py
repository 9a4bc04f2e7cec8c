"""The physics: small compiled functions over arrays. Knows no Gym, no files."""
