#!/bin/sh
# Runs Podman, containerd and Docker on the product.
#
#     scripts/engines.sh [--list] [PATTERN]
#
# Needs root and the engines. PARAVANE names the product, else the release build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
: "${PARAVANE:=$(dirname "$0")/../.build/release/paravane}"
export PARAVANE
exec python3 "$(dirname "$0")/../Engines/engines.py" "$@"
