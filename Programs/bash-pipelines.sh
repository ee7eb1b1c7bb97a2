# Pipelines of coreutils under bash: redirection, exit statuses, process substitution, SIGPIPE.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

echo "== pipelines"
seq 1 1000 | grep -v 7 | sort -rn | head -n 3
printf '%s\n' pear apple fig apple pear apple | sort | uniq -c | sort -k1,1nr -k2 |
  awk '{print $2, $1}'
seq 1 20000 | tee copy | wc -l
cut -c1-2 copy | sort -u | wc -l
seq 1 100 | paste -sd+ | sed 's/^/x+/' | tr -d x | sed 's/^+//' | tr + '\n' | wc -l
yes parrot | head -c 1000000 | sha256sum
head -c 3000000 /dev/zero | tr '\0' 'a' | fold -w 60 | wc -lc | tr -s ' '
comm -12 <(seq 1 2 50 | sort) <(seq 1 3 50 | sort) | paste -sd,
join -t, <(printf '1,one\n2,two\n') <(printf '1,eins\n2,zwei\n')
expand -t 4 < <(printf 'a\tb\tc\n') | rev | od -An -c | tr -s ' '

echo "== statuses"
set +e
true | false | true; echo "${PIPESTATUS[*]}"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
yes | head -n 1 > /dev/null; echo "writer and reader: ${PIPESTATUS[*]}"
(exit 42); echo "subshell $?"
missing-command 2> error; echo "missing $?"
touch plain; ./plain 2> error; echo "not executable $?"
cat nowhere 2>&1; echo "cat $?"
set -e

echo "== redirection"
exec 5> five; echo to five >&5; exec 5>&-; cat five
{ echo out; echo err >&2; } > both 2>&1; sort both
echo more >> five; wc -l < five
exec 6<> five; read -r line <&6; echo "read: $line"; echo "replaced" >&6; exec 6>&-; cat five
(echo closed >&-) 2> /dev/null || echo "write to a closed descriptor fails"
set -C; (echo again > five) 2> /dev/null || echo "noclobber holds"; set +C
: > empty; [ -s empty ] || echo "truncated"

echo "== files"
mkdir -p tree/a/b tree/c
for name in tree/one tree/a/two tree/a/b/three; do basename "$name" > "$name"; done
ln -s ../one tree/a/link; ln tree/one tree/c/hard
stat -c '%n %F %h %s' tree/one tree/a/link tree/c/hard
readlink tree/a/link; cat tree/a/link; realpath --relative-to=. tree/a/link
chmod 640 tree/one; stat -c '%a' tree/c/hard
touch -d @1000000000 tree/one; date -u -r tree/c/hard +%FT%TZ
cp -a tree copytree; diff -r tree copytree && echo "same tree"
mv copytree/one copytree/c/moved; ls copytree/c
rm -r copytree; [ ! -e copytree ] && echo "removed"
du -s --apparent-size --block-size=1 tree/one | cut -f1
truncate -s 1M sparse; stat -c %s sparse; cmp -n 1048576 sparse /dev/zero && echo "zeroes"
split -b 300K sparse part. ; ls part.*; cat part.* | cmp - sparse && echo "joined"
mktemp -d tmp.XXXXXX | wc -l
shuf -i 1-500 | sort -n | md5sum
