#!/bin/sh
# Sits at the terminal of `paravane do`, as a person would.
#
#     scripts/terminals.sh [--list] [PATTERN]
#
# Needs root, bash and python3. PARAVANE names the product, else the release build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
: "${PARAVANE:=$(dirname "$0")/../.build/release/paravane}"
export PARAVANE
exec python3 "$(dirname "$0")/../Terminals/terminals.py" "$@"
