#!/bin/sh
# Makes, uses and removes containers, and kills the command at every step.
#
#     scripts/lifecycle.sh [--list] [PATTERN]
#
# Needs root, busybox and python3. PARAVANE names the product, else the release build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
: "${PARAVANE:=$(dirname "$0")/../.build/release/paravane}"
export PARAVANE
exec python3 "$(dirname "$0")/../Lifecycle/lifecycle.py" "$@"
