#!/bin/bash
# Installs the Debian packages that building and testing need, as far as they are missing.
#
#   scripts/install-packages.sh [--list]        --list: print what is missing, install nothing
#
# scripts/test-packages.txt names what the compared programs need.
set -euo pipefail
cd "$(dirname "$0")"

# A tool of another origin than Debian's will do.
declare -A tool_of=([nodejs]=node [golang-go]=go [python3]=python3 [git]=git)

is_there() {
  local tool=${tool_of[$1]:-}
  if [[ -n $tool && -x /usr/bin/$tool ]]; then return 0; fi
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for package in build-essential ca-certificates strace util-linux $(cat test-packages.txt); do
  is_there "$package" || missing+=("$package")
done
if [[ ${1:-} == --list ]]; then
  if ((${#missing[@]})); then printf '%s\n' "${missing[@]}"; fi
  exit 0
fi
if ((${#missing[@]} == 0)); then exit 0; fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install -y --no-install-recommends "${missing[@]}"
