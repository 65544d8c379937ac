"""run.py - the Python tests; the last line is "N passed, N failed[, N skipped]".

    python3 tests/python/run.py [NAME...]

NAME picks tests by their file, class or method name; all without one.  GRADTRACE_LIBRARY names
libgradtrace.so; without it, the one in $BUILD (build) of this tree.  Needs torch and h5py: where
one is missing every test counts as skipped.
"""

import glob
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.normpath(os.path.join(HERE, "..", ".."))


def flat(suite):
    """The tests of nested suites, one after the other."""
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from flat(entry)
        else:
            yield entry


def missing():
    """Name of a module that the tests need and that is not there, or None."""
    for name in ("torch", "h5py"):
        try:
            __import__(name)
        except ImportError:
            return name
    return None


def count_tests():
    """How many test methods there are, without importing them."""
    count = 0
    for path in glob.glob(os.path.join(HERE, "test_*.py")):
        with open(path, encoding="utf-8") as file:
            count += sum(line.startswith("    def test_") for line in file)
    return count


def main(words):
    # What runs in the background may have inherited these as ignored, and so would the tests' runs.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    build = os.environ.get("BUILD", os.path.join(TREE, "build"))
    os.environ.setdefault("GRADTRACE_LIBRARY", os.path.join(build, "libgradtrace.so"))
    sys.path[:0] = [HERE, os.path.join(TREE, "lib", "python")]
    absent = missing()
    if absent is not None:
        print(f"skipped: the Python tests need {absent}")
        print(f"0 passed, 0 failed, {count_tests()} skipped")
        return 0
    if not os.path.isfile(os.environ["GRADTRACE_LIBRARY"]):
        print(f"{os.environ['GRADTRACE_LIBRARY']}: not found; run `make`")
        print("0 passed, 1 failed")
        return 1
    tests = list(flat(unittest.TestLoader().discover(HERE, pattern="test_*.py")))
    tests = [t for t in tests if not words or any(word in t.id() for word in words)]
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(unittest.TestSuite(tests))
    failed = len({t.id() for t, _ in result.failures + result.errors})
    for test, reason in result.skipped:
        print(f"skipped: {test.id()}: {reason}")
    skips = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed{skips}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
