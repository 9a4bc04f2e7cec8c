"""The allocate tests use the plain-Python network and hash of the simulator's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "sim"))
