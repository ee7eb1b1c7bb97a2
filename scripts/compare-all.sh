#!/bin/bash
# Compares every test of a suite, or those whose name contains PATTERN, and counts.
#
#   scripts/compare-all.sh DIRECTORY SUFFIX [--native-only] [PATTERN]
#
# A test that fails is run once more, since a loaded machine can be too slow for one. If it passes
# then, it is unsteady, and what the first try showed is printed. More than one unsteady test, and one
# in a hundred, fail the run, so that a race is not passed over.
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

passed=0 failed=0 skipped=0 known=0 unsteady=0
while read -r test; do
  name=${test#"$root/$directory/"}
  [[ ${name%.*} == *"$pattern"* ]] || continue
  verdict=$("$root/scripts/compare.sh" "${options[@]}" "$test" < /dev/null)
  if [[ $verdict == FAIL* ]]; then
    second=$("$root/scripts/compare.sh" "${options[@]}" "$test" < /dev/null)
    if [[ $second == PASS* ]]; then
      unsteady=$((unsteady + 1))
      verdict="$second at the second try, after ${verdict#FAIL }"
    fi
  fi
  printf '%s\n' "$verdict"
  case $verdict in
  PASS*) passed=$((passed + 1)) ;;
  KNOWN*) known=$((known + 1)) ;;
  SKIP*) skipped=$((skipped + 1)) ;;
  *) failed=$((failed + 1)) ;;
  esac
done < <(find "$root/$directory" -name "*.$suffix" | LC_ALL=C sort)

# Tests that ran, and how many of them may be unsteady.
total=$((passed + failed + known))
allowed=$((1 + total / 100))
if [ $((known + skipped + unsteady)) -gt 0 ]; then
  echo "$known known failures, $skipped skipped, $unsteady unsteady"
fi
echo "$passed passed, $failed failed"
if [ $unsteady -gt $allowed ]; then
  echo "too many unsteady tests: $unsteady of $total, where $allowed may be"
  exit 1
fi
[ $failed = 0 ] && [ $((passed + known + skipped)) -gt 0 ]
