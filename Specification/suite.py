"""The requirements of the OCI runtime specification, on the product and on what defines it.

    suite.py [--list] [PATTERN]

PARAVANE names the product. Each test is a requirement and runs on every runtime that is installed;
one that fails must be in differences.txt with its reason, and one that is there must fail.
"""

import concurrent.futures
import fnmatch
import os
import shutil
import subprocess
import sys
import time

import config  # noqa: F401: its tests
import devices  # noqa: F401: its tests
import groups  # noqa: F401: its tests
import hooks  # noqa: F401: its tests
import linux  # noqa: F401: its tests
import mounts  # noqa: F401: its tests
import process  # noqa: F401: its tests
import runtime  # noqa: F401: its tests
from box import TESTS, Box, Failure, lines
from host import PRODUCT

# crun 1.8 refuses to start where it sees controllers of cgroup v1 beside a tree of v2.
UNIFIED = "/sys/fs/cgroup/unified"
WITHOUT_UNIFIED = ("unshare", "--mount", "sh", "-c", f'umount {UNIFIED} && exec "$@"', "sh")
RUNTIMES = {"paravane": (PRODUCT,), "runc": ("runc",),
            "crun": (*(WITHOUT_UNIFIED if os.path.ismount(UNIFIED) else ()), "crun")}


def differences():
    """The pairs of runtime and test, and those that differ only now and then."""
    found, unsteady = set(), set()
    for line in lines(os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences.txt")):
        if line and not line.startswith("#"):
            names, test, _ = line.split(maxsplit=2)
            for word in names.split(","):
                name = word.rstrip("?")
                # The product is steady.
                if name not in RUNTIMES or test not in TESTS or (name, test) in found \
                        or word == "paravane?":
                    raise SystemExit(f"differences.txt: {word} {test}: unknown, or there twice")
                found.add((name, test))
                if word != name:
                    unsteady.add((name, test))
    return found, unsteady


def outcome(name, test):
    """Nil, or what failed."""
    box = Box(RUNTIMES[name])
    try:
        TESTS[test](box)
        return None
    except (Failure, subprocess.SubprocessError, OSError, ValueError, LookupError) as error:
        return f"{type(error).__name__}: {error}" if not isinstance(error, Failure) else str(error)
    finally:
        box.end()


def run(name, tests, listed, unsteady):
    """What is wrong, and how many requirements are met."""
    wrong, met = [], 0
    for test in tests:
        begin = time.monotonic()
        failure = outcome(name, test)
        if "--verbose" in sys.argv:
            print(f"{time.monotonic() - begin:.2f} s {name} {test}", flush=True)
        if failure is None:
            met += 1
            if (name, test) in listed - unsteady:
                wrong.append(f"FAIL {name} {test}\n     it is in differences.txt, and passes")
        elif (name, test) not in listed:
            document, section, _ = test.split("/")
            wrong.append(f"FAIL {name} {test}\n     {document}.md, {section}: "
                         f"{' '.join(TESTS[test].__doc__.split())}\n     {failure}")
        elif "--verbose" in sys.argv:
            print(f"DIFF {name} {test}\n     {failure}", flush=True)
    return wrong, met


def main():
    patterns = [word for word in sys.argv[1:] if not word.startswith("--")] or ["*"]
    tests = [test for test in TESTS if any(
        fnmatch.fnmatch(test, pattern) for pattern in patterns)]
    if "--list" in sys.argv:
        for test in tests:
            print(f"{test}\n    {' '.join(TESTS[test].__doc__.split())}")
        return 0
    begin = time.monotonic()
    listed, unsteady = differences()
    names = [name for name in RUNTIMES if shutil.which(RUNTIMES[name][-1])]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        results = dict(zip(names, pool.map(lambda name: run(
            name, tests, listed, unsteady), names)))
    wrong = [line for name in names for line in results[name][0]]
    for name in RUNTIMES:
        if name not in names:
            wrong.append(f"FAIL {name} is not installed")
            continue
        count = sum((name, test) in listed for test in tests)
        print(f"{name}: {len(tests)} requirements, {results[name][1]} met, {count} differences")
    print("\n".join(wrong + [f"{len(wrong)} failed ({time.monotonic() - begin:.0f} s)"]))
    return 1 if wrong or not tests else 0


sys.exit(main())
