# Debian's static busybox: its shell and applets, which share nothing with glibc's loader.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
command -v busybox > /dev/null || { echo "SKIP: busybox is not installed"; exit 0; }

mkdir bin
for applet in sh ls cat grep sed awk sort uniq wc tr head tail cut find xargs tar gzip \
  gunzip mkdir rm cp mv ln touch date printf seq test expr dd od sha256sum diff cpio \
  vi ps kill sleep env id true false readlink stat chmod mkfifo tee yes cmp; do
  ln -s "$(command -v busybox)" "bin/$applet"
done
PATH=$PWD/bin

exec sh -eu <<'END'
echo "== shell"
add() { echo $(($1 + $2)); }
add 40 2
for word in a b c; do printf '%s.' "$word"; done; echo
case $(readlink bin/sh) in */busybox) echo "this is busybox" ;; esac
trap 'echo caught USR1' USR1; kill -USR1 $$
(exit 3) || echo "status $?"
sleep 60 & kill $!; wait $! || echo "killed: $?"
cat <<WORD | tr a-z A-Z
here $((1 + 1))
WORD
set -- one two three; shift; echo "$# $1 ${2#th}"

echo "== applets"
seq 1 5000 | grep 9 | sort -rn | head -n 2
seq 1 100 | awk '{ sum += $1 } END { print sum }'
printf 'b\na\nb\n' | sort | uniq -c | sed 's/^ *//'
yes | head -n 100000 | sha256sum
dd if=/dev/zero bs=1000 count=500 2> /dev/null | od -An -tx1 | wc -l
mkdir -p tree/deep; seq 1 1000 > tree/numbers; cp tree/numbers tree/deep/copy
ln -s numbers tree/link; find tree | sort
tar cf - tree | gzip > tree.tar.gz; mkdir out; tar xzf tree.tar.gz -C out
cmp tree/numbers out/tree/deep/copy && echo "unpacked"
(cd tree && find . | sort | cpio -o -H newc 2> /dev/null) |
  (mkdir in && cd in && cpio -i 2> /dev/null)
cat in/link | tail -n 1
find tree -type f | sort | xargs wc -l
mkfifo pipe; echo "through a pipe" > pipe & cat pipe
rm -r tree out in; test ! -e tree && echo "removed"
END
