#!/bin/sh
# Makes the calls again that Podman, containerd and Docker were recorded to make.
#
#     scripts/recordings.sh [--list] [PATTERN]
#
# Needs root, busybox, python3 and runc. PARAVANE names the product, else the release build.
# `python3 Recordings/record.py` records them anew, on runc; it needs the engines.
set -eu
export PYTHONDONTWRITEBYTECODE=1
: "${PARAVANE:=$(dirname "$0")/../.build/release/paravane}"
export PARAVANE
exec python3 "$(dirname "$0")/../Recordings/replay.py" "$@"
