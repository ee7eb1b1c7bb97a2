#!/bin/sh
# Holds the product, runc and crun to the OCI runtime specification, requirement by requirement.
#
#     scripts/specification.sh [--list] [--verbose] [PATTERN]
#
# Needs root, busybox, python3, runc and crun. PARAVANE names the product, else the release build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
: "${PARAVANE:=$(dirname "$0")/../.build/release/paravane}"
export PARAVANE
exec python3 "$(dirname "$0")/../Specification/suite.py" "$@"
