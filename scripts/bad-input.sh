#!/bin/sh
# Gives the product bad input and kills its processes: message, status, nothing left behind.
#
#     scripts/bad-input.sh [--list] [PATTERN]
#
# Needs root, gcc and python3. PARAVANE names the product, else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "$0")/../Attack/bad_input.py" "$@"
