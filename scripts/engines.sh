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
# What engines do to bridges and packet filters happens in a network of its own, what they mount in
# a mount namespace, and what they start ends with this command, however it ends. The shell is there
# to bury orphans, as the first process of a machine does.
mkdir -p /run/netns
exec unshare --net --mount --pid --fork --kill-child --mount-proc sh -c '
  mount -t tmpfs none /run/netns
  /usr/bin/python3 "$@"
  exit $?' sh "$(dirname "$0")/../Engines/engines.py" "$@"
