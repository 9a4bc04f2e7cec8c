"""The network of Route's oracle serves this track's oracle too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "route"))
