"""The hash and the network of Route's oracle serve this track's oracle too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "sim"))
