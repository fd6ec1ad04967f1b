import sys
from pathlib import Path

# The hand-made descriptions of ``sketches`` serve tests of several folders.
sys.path.insert(0, str(Path(__file__).parents[1]))
