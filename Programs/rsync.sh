# Rsync between local directories: three processes, socket pairs, deltas, deletion, hard links.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TZ=UTC
command -v rsync > /dev/null || { echo "SKIP: rsync is not installed"; exit 0; }

for ((d = 0; d < 12; d++)); do
  mkdir -p "from/d$d"
  for ((f = 0; f < 60; f++)); do seq "$d" "$((d + f))" > "from/d$d/f$f"; done
done
seq 1 500000 > from/large; ln -s d1/f1 from/soft; ln from/d2/f2 from/hard; chmod 640 from/d3/f3
find from -exec touch -h -d '2001-09-09 01:46:40' {} +

report() {
  sed -nE 's/^Number of ((regular files transferred|(deleted|created) files): [0-9,]*).*/\1/p'
}
echo "== first"
rsync -aH --stats from/ to | report; diff -r from to && echo "same"
[ "$(stat -c %i to/hard)" = "$(stat -c %i to/d2/f2)" ] && echo "hard link kept"
stat -c '%a %y' to/d3/f3 | cut -c1-23; readlink to/soft
echo "== nothing to do"
rsync -aH --stats from/ to | report; rsync -aHi from/ to
echo "== changes"
echo changed >> from/d1/f1; rm from/d2/f3; mkdir from/new; echo new > from/new/file
chmod 755 from/d4/f4
rsync -aHi --no-whole-file --inplace --delete --omit-dir-times from/ to
diff -r from to && echo "same"
echo "== delta"
{ seq 1 1000; echo inserted; seq 1001 500000; } > from/large
rsync -a --no-whole-file --stats from/ to | sed -n 's/^Literal data: //p' | tr -d , |
  awk '{ print ($1 < 100000 ? "small" : "whole") }'
cmp from/large to/large && echo "same"
echo "== options"
rsync -a --exclude='f?' --exclude=large --prune-empty-dirs from/ some; find some -type f | wc -l
rsync -ac --link-dest="$PWD/to" from/ backup; find backup -type f -links +1 | wc -l
rsync -a --remove-source-files some/ moved; find some -type f | wc -l; find moved -type f | wc -l
rsync -an --delete from/d1/ to/d2 -i | wc -l; rsync --list-only from/d3/f3 | tr -s ' '
(cd from; find d5 -name 'f1*' | rsync -a --files-from=- . ../listed); find listed -type f | wc -l
rsync -a absent/ to 2> /dev/null || echo "rsync gave $?"
timeout 60 rsync -a --bwlimit=100m -z --partial from/large zipped
cmp from/large zipped && echo "compressed"
