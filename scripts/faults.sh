#!/bin/sh
# Breaks what sandboxes stand on, and checks what they say, that they go on or end, and that nothing
# is left of them.
#
#     scripts/faults.sh [--list] [PATTERN]
#
# Needs root, python3, python3-jsonschema, python3-prometheus-client and iproute2. All traffic stays in
# network namespaces of its own. PARAVANE names the product, else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/../Faults/faults.py" "$@"
