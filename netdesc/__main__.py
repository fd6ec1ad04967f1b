"""``python -m netdesc`` is the command ``netdesc``."""

import sys

from netdesc.cli import main

if __name__ == "__main__":
    sys.exit(main())
