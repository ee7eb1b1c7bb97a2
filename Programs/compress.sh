# Gzip, bzip2, xz and zstd: round trips through files and pipes, threads, damage, keeping times.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TZ=UTC

seq 1 200000 > numbers; yes "the parrot vane turns" | head -c 5000000 > text
awk 'BEGIN {
  s = 1
  for (i = 0; i < 200000; i++) { s = (s * 16807) % 2147483647; printf "%c", s % 256 }
}' > noise
touch -d '2001-09-09 01:46:40' numbers text noise
sha256sum numbers text noise > sums

for tool in gzip bzip2 xz zstd; do
  command -v "$tool" > /dev/null || { echo "no $tool"; continue; }
  echo "== $tool"
  for file in numbers text noise; do
    case $tool in zstd) quiet=(-q --rm) ;; *) quiet=() ;; esac
    "$tool" "${quiet[@]}" "$file"; ls "$file"*
    "$tool" -t "$file".* 2> /dev/null && echo "sound"
    "$tool" -d "${quiet[@]}" "$file".*
  done
  sha256sum -c sums; stat -c %y numbers | cut -c1-19
  "$tool" -c < text | "$tool" -dc | cmp - text && echo "through a pipe"
  cat <("$tool" -c < numbers) <("$tool" -c < text) | "$tool" -dc | wc -c
  "$tool" -c < noise | head -c 50000 | "$tool" -dc > /dev/null 2>&1 || echo "truncated: $?"
done
if command -v xz > /dev/null
then xz -T2 --block-size=1MiB -c text | xz -dc | cmp - text && echo "xz threads"; fi
if command -v zstd > /dev/null
then zstd -q -T2 -19 -c numbers | zstd -dc | cmp - numbers && echo "zstd threads"; fi
gzip -nc numbers | md5sum; zcat <(gzip -c numbers) | tail -n 1; zgrep -c 99 <(gzip -c numbers)
