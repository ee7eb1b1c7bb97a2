# Find over a tree of 2,000 files: tests, -exec, -delete; xargs in parallel; grep -r; du; ls -R.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

for ((d = 0; d < 20; d++)); do
  mkdir -p "tree/d$d/deeper"
  for ((f = 1; f <= 50; f++)); do echo "$f" > "tree/d$d/f$f"; : > "tree/d$d/deeper/g$f.txt"; done
done
ln -s d1 tree/link; ln -s absent tree/dangling; mkfifo tree/pipe; chmod 600 tree/d3/f*
chmod 4755 tree/d4/f1

echo "== tests"
for type in f d l p; do find tree -type "$type" | wc -l; done
find tree -name 'f1*' -newer tree/d0 | wc -l | sed 's/.*/counted/'
find tree -empty -type f | wc -l
find tree -perm 600 | wc -l; find tree -perm /4000; find tree -xtype l
find -L tree -name f7 | wc -l
find tree -size -1c -name 'g*' | wc -l; find tree -links +2 -type d | wc -l
find tree -maxdepth 1 -name 'd*' -prune -o -print | sort
find tree -regex '.*/d[0-9]/f2' -printf '%P %s %y %m\n' | sort | head -n 3
find tree -inum "$(stat -c %i tree/d9/f9)"; find tree -samefile tree/d9/f8
find tree/d5 -type f -execdir basename {} \; | sort | head -n 2
find tree -user root -o -group root | wc -l | sed 's/.*/counted/'

echo "== exec and xargs"
find tree -name 'f*' -exec cat {} + | awk '{ sum += $1 } END { print sum }'
find tree/d1 -name 'f*' -exec sh -c 'exit $(($(cat "$1") > 25))' _ {} \; -print | wc -l
find tree -type f -print0 | xargs -0 -P4 -n 100 wc -c |
  awk '!/total/ { sum += $1 } END { print sum }'
seq 1 100 | xargs -P8 -n1 sh -c 'echo "$1" >> "out.$(($1 % 4))"' _; cat out.* | sort -n | md5sum
seq 1 10 | xargs -n1 -P4 sh -c 'exit $(($1 == 5))' _ || echo "xargs gave $?"
seq 1 3 | xargs -I@ echo "<@>"; echo | xargs -r echo never

echo "== other walkers"
grep -rl '^50$' tree | sort | head -n 2; grep -rc . tree --include='f1' | sort | head -n 2
ls -R tree | wc -l; du -a tree | wc -l; ls -f tree/d1 | wc -l
tree_sum() { (cd "$1"; find . -type f | sort | xargs sha256sum | sha256sum); }
tree_sum tree; cp -r tree copy; tree_sum copy
chmod -R g+w copy; find copy -type f ! -perm -g+w | wc -l
find copy -name 'g*' -delete; find copy -type f | wc -l
rm -rf copy; [ ! -e copy ] && echo removed
find absent 2>&1 || echo "find gave $?"
