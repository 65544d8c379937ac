"""packed.py - run a script that uses libgradtrace.so, in the folder that `make gpu-pack` filled.

    python3 packed.py SCRIPT [ARGUMENT...]

What the library needs and the machine does not have is loaded from lib/ first.  A search path would
do that too, but for everything else in the process as well, torch's own libraries among it.
"""

import ctypes
import os
import re
import runpy
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, "lib")


def load(name):
    """Loads lib/`name`, and before it whatever of lib/ it turns out to need."""
    while True:
        try:
            ctypes.CDLL(os.path.join(LIB, name), mode=ctypes.RTLD_GLOBAL)
            return
        except OSError as error:
            missing = re.match(r"(\S+\.so[.\d]*): cannot open shared object", str(error))
            if missing is None or not os.path.exists(os.path.join(LIB, missing[1])):
                raise
            load(missing[1])


def main():
    if len(sys.argv) < 2:
        sys.exit("packed.py: name a script")
    load("libgradtrace.so")
    os.environ["GRADTRACE_LIBRARY"] = os.path.join(LIB, "libgradtrace.so")
    sys.argv.pop(0)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
