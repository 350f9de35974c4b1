"""The script that the frozen app starts with: the same way in as `pollux`."""

import sys

from app.__main__ import main

sys.exit(main())
