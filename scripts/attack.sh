#!/bin/sh
# Attacks sandboxes and checks that host and neighbours notice nothing.
#
#     scripts/attack.sh [--list] [PATTERN]
#
# Needs root, gcc, python3 and, for the attack `trace`, strace. PARAVANE names the product,
# else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "$0")/../Attack/attack.py" "$@"
