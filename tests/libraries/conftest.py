"""The training libraries themselves: `make test-libraries`, in an environment of its own.

`make test` goes without them; there, stand-ins of the same shapes tell the same
(`tests/unit/test_library_values.py`).
"""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("transformers") else ["test_*.py"]
