# Awk, sed, sort, join and friends on a generated log, as in everyday one-liners.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD

awk 'BEGIN {
  split("GET POST PUT", method, " "); split("/ /login /api/items /static/logo.png", path, " ")
  seed = 1
  for (i = 0; i < 50000; i++) {
    seed = (seed * 16807) % 2147483647
    printf "10.0.%d.%d - [%02d:%02d:%02d] \"%s %s\" %d %d\n", seed % 4, seed % 50,
      i / 3600 % 24, i / 60 % 60, i % 60, method[seed % 3 + 1], path[seed % 4 + 1],
      seed % 17 ? 200 : 500, seed % 10000
  }
}' > log
wc -lc < log | tr -s ' '; head -n 2 log

echo "== awk"
awk '{ count[$1]++ } END { for (host in count) print count[host], host }' log | sort -k1,1nr -k2 |
  head -n 3
awk '{ bytes[$5] += $NF; hits[$5]++ }
  END { for (p in hits) printf "%-18s %6d %.2f\n", p, hits[p], bytes[p] / hits[p] }' log | sort
awk -F: '{ hour[substr($1, length($1) - 1)]++ } END { for (h in hour) print h, hour[h] }' log |
  sort | tail -n 2
awk '$(NF-1) == 500 { print > ("errors." substr($4, 2)) } END { print NR }' log
wc -l errors.* | tail -n 1
awk 'NR % 10000 == 0 { c = "echo line " NR; c | getline answer; close(c); print answer }' log
awk 'BEGIN { while (("seq 3" | getline n) > 0) print n | "sort -rn" }'
awk 'BEGIN { print toupper(substr("parrot", 2, 3)), match("vane", /n/), 1e6; exit 3 }' ||
  echo "status $?"

echo "== sed"
sed -n '100,102p;$p' log
sed -E 's/^([0-9.]+) - \[([^]]+)\] "([A-Z]+) ([^"]+)".*/\2 \3 \4 from \1/; 3q' log
sed -n '/500/{s/ - .*//;p}' log | sort | uniq -c | sort -rn | awk '{ print $1 }' | head -n 3
cp log edited; sed -i.orig -e '/static/d' -e 's/GET/get/g' edited; wc -l < edited
cmp log edited.orig && echo "kept"
printf 'one\ntwo\nthree\n' | sed -e '1{h;d}' -e '$G' -e 'y/abc/xyz/'
sed ':a;N;$!ba;s/\n/+/g' <(seq 1 10); seq 1 3 | sed '2i\before two' | sed '$a\after all'
sed --quiet 'w copied' log; cmp log copied && echo "written"

echo "== sort, join, cut, tr"
sort -S 1M -T . log | sha256sum; sort -u -k1,1 log | wc -l
sort -c <(seq -w 1 100) && echo "in order"
cut -d' ' -f1 log | sort | uniq -d | wc -l; tr -cd '\n' < log | wc -c
tr ' ' '\n' < log | grep -c '^200$'
per_host() { cut -d' ' -f1 | sort | uniq -c | awk '{ print $2, $1 }'; }
join <(per_host < log) <(grep ' 500 ' log | per_host) | head -n 2
paste <(seq 1 3) <(seq 4 6) <(seq 7 9) | column -t; nl -ba <(printf 'x\n\ny\n')
tac <(seq 1 3) | tr '\n' ' '; echo
grep -oE '"(GET|PUT) [^"]+"' log | sort | uniq -c | awk '{ print $1, $3 }' | head -n 2
grep -c -v -e GET -e PUT log
numfmt --to=iec 1048576; factor 1000000007
echo '6 * 7' | { command -v bc > /dev/null && bc || echo 42; }; expr 6 \* 7
csplit -s log 20000 40000; wc -l xx00 xx01 xx02 | tail -n 1; md5sum <(cat xx0?) | cut -c1-32
