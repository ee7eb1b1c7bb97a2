#!/bin/sh
# Compares --strace with strace(1), and holds --debug to what it promises.
#
#     scripts/trace.sh [--list] [PATTERN]
#
# Needs root, gcc, python3 and strace. PARAVANE names the product, else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "$0")/../Trace/trace.py" "$@"
