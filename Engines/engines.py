"""Runs container engines on the product, each with directories and sockets of its own.

    engines.py [--list] [PATTERN]

PARAVANE names the product. Needs root, the engines (scripts/install-packages.sh installs them) and
a network namespace of its own, which scripts/engines.sh gives it. No registry is asked: the image
is made of the host's busybox (image.py).
"""

import fnmatch
import shutil
import subprocess
import sys
import time

from containerd import Containerd
from cri import Kubernetes
from docker import Docker
from engine import CASES, Failure, Page, Skip
from podman import Podman
from rootless import RootlessPodman

ENGINES = [Podman, RootlessPodman, Containerd, Kubernetes, Docker]
# Pages without an engine in Debian 12.
UNTESTABLE = {"cri-o": "Debian 12 has no CRI-O"}


def prepare_network():
    """The network that engines find here: a loopback device, and one that is the host's alone."""
    for words in ("link set lo up", "link add outside type bridge", "link set outside up"):
        subprocess.run(["ip", *words.split()], check=True)


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def run(self, name, engine):
        begin = time.monotonic()
        try:
            CASES[name][1](engine)
            print(f"PASS {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            self.passed += 1
        except Skip as reason:
            self.skip(name, reason)
        except (Failure, subprocess.TimeoutExpired, OSError, ValueError, KeyError) as error:
            self.fail(name, f"{type(error).__name__}: {error}")

    def skip(self, name, reason):
        print(f"SKIP {name}: {reason}", flush=True)
        self.skipped += 1

    def fail(self, name, reason):
        print(f"FAIL {name}\n     {reason}", flush=True)
        self.failed += 1

    def judge_pages(self):
        """Each block of the pages must have been used by a case."""
        for block in Page.unused():
            page = block.split("/")[-1].split(".")[0]
            if page in UNTESTABLE:
                self.skip(block, UNTESTABLE[page])
            else:
                self.fail(block, "no case has run it")


def main():
    patterns = [word for word in sys.argv[1:] if not word.startswith("--")] or ["*"]
    names = [name for name in CASES if any(
        fnmatch.fnmatch(name, pattern) for pattern in patterns)]
    if "--list" in sys.argv:
        print("\n".join(names))
        return 0
    prepare_network()
    counts = Counts()
    for kind in ENGINES:
        own = [name for name in names if CASES[name][0] is kind]
        if not own:
            continue
        missing = [program for program in kind.programs if not shutil.which(program)]
        if missing:
            counts.fail(kind.name, f"{', '.join(missing)} is not installed")
            continue
        engine = kind()
        try:
            for name in own:
                counts.run(name, engine)
                engine.reset()
        finally:
            engine.end()
    if len(names) == len(CASES):
        counts.judge_pages()
    print(f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped")
    return 1 if counts.failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
