#!/bin/bash
# Compares every test of a suite, or those whose name contains PATTERN, and counts.
#
#   scripts/compare-all.sh DIRECTORY SUFFIX [--native-only] [PATTERN]
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
directory=$1 suffix=$2
shift 2
options=()
if [ "${1-}" = --native-only ]; then
  options=(--native-only)
  shift
fi
pattern=${1-}

passed=0 failed=0 skipped=0 known=0
while read -r test; do
  name=${test#"$root/$directory/"}
  [[ ${name%.*} == *"$pattern"* ]] || continue
  verdict=$("$root/scripts/compare.sh" "${options[@]}" "$test" < /dev/null)
  printf '%s\n' "$verdict"
  case $verdict in
  PASS*) passed=$((passed + 1)) ;;
  KNOWN*) known=$((known + 1)) ;;
  SKIP*) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac
done < <(find "$root/$directory" -name "*.$suffix" | LC_ALL=C sort)

if [ $((known + skipped)) -gt 0 ]; then echo "$known known failures, $skipped skipped"; fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $((passed + known + skipped)) -gt 0 ]
