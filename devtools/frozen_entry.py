"""The script that the frozen app starts with: the same way in as `pollux`."""

import os
import sys

os.environ["ORT_DISABLE_TELEMETRY"] = (
    "1"  # ONNX Runtime's wheels report home unless this is set before they load
)

from app.__main__ import main

sys.exit(main())
