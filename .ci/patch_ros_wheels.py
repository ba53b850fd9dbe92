"""Point the ROS wheels' CMake files at this Python and this NumPy.

The wheels' exported CMake targets carry the include folders of the machine that built them
(``/opt/python/cp3XX-cp3XX/include/python3.XX`` and NumPy's below it). CMake refuses a target whose
include folders do not exist, so messages cannot be built until they are replaced. Running it
again changes nothing.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

BUILDER = r"/opt/python/cp3\d+-cp3\d+"
NUMPY_HEADERS = re.compile(BUILDER + r"/lib/python3\.\d+/site-packages/numpy/_?core/include")
PYTHON_HEADERS = re.compile(BUILDER + r"/include/python3\.\d+")


def patched(text: str, python_headers: str, numpy_headers: str) -> str:
    """Return a CMake file's text with the builder's include folders replaced by ours."""
    text = NUMPY_HEADERS.sub(lambda _: numpy_headers, text)
    return PYTHON_HEADERS.sub(lambda _: python_headers, text)


def main() -> None:
    """Patch every CMake file under this environment's ``share``."""
    changed = 0
    for path in sorted(Path(sys.prefix, "share").glob("*/cmake/*.cmake")):
        before = path.read_text(encoding="utf-8")
        after = patched(before, sysconfig.get_path("include"), np.get_include())
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed += 1
    if changed:
        print(f"patched {changed} CMake files of the ROS wheels")


if __name__ == "__main__":
    main()
