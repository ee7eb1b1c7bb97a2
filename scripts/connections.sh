#!/bin/sh
# Lets sandboxes connect, and checks what the policy forbids and what the audit log tells.
#
#     scripts/connections.sh [--list] [PATTERN]
#
# Needs root, python3, python3-jsonschema and iproute2. All traffic stays on the loopback device of a
# network namespace of its own. PARAVANE names the product, else the release or debug build.
set -eu
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$(dirname "$0")/../Connections/connections.py" "$@"
