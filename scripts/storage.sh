#!/bin/sh
# Shares volumes between sandboxes, and kills sandboxes while they write.
#
#     scripts/storage.sh [--list] [PATTERN]
#
# Needs root, gcc, python3, python3-jsonschema, python3-prometheus-client, e2fsprogs and
# btrfs-progs. PARAVANE names the product, else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/../Storage/storage.py" "$@"
