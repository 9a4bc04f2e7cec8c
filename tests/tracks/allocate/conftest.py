"""The allocate tests use the plain-Python network of Route's oracle."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "route"))
