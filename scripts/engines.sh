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
# What engines do to bridges and packet filters happens in a network of its own.
exec unshare --net /usr/bin/python3 "$(dirname "$0")/../Engines/engines.py" "$@"
