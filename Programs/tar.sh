# Tar, cpio and zip: 1,000 files with modes, links, times, sparse files; streams through a pipe.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TZ=UTC
command -v tar > /dev/null || { echo "SKIP: tar is not installed"; exit 0; }

for ((d = 0; d < 20; d++)); do
  mkdir -p "tree/d$d"
  for ((f = 0; f < 50; f++)); do echo "$d $f $((d * f))" > "tree/d$d/f$f"; done
done
ln -s d1/f1 tree/soft; ln tree/d2/f2 tree/hard; mkfifo tree/pipe; mkdir -m 500 tree/readonly
truncate -s 20M tree/sparse; echo end >> tree/sparse; chmod 4711 tree/d3/f3
head -c 2000000 /dev/zero | tr '\0' z > "tree/a long name with spaces, $(printf 'x%.0s' {1..150})"
find tree -exec touch -h -d '2001-09-09 01:46:40' {} +

echo "== create, list, compare, extract"
options=(--sort=name --owner=0 --group=0 --numeric-owner --format=gnu)
tar "${options[@]}" -cf tree.tar tree; sha256sum < tree.tar
tar -tvf tree.tar | head -n 3; tar -tf tree.tar | wc -l
tar -df tree.tar && echo "no difference"
mkdir out; tar -xpf tree.tar -C out; diff -r --exclude=pipe tree out/tree && echo "same content"
listing() {
  (
    cd "$1"
    find . -printf '%P %y %m %n %s %TY-%Tm-%Td %l\n' |
      sed 's/^\(.* d [0-9]* \).* \(2001\)/\1\2/' | sort | sha256sum  # no sizes of directories
  )
}
[ "$(listing tree)" = "$(listing out/tree)" ] && echo "same modes, links, times"
tar -xOf tree.tar tree/d19/f49
tar -cSf sparse.tar tree/sparse
[ "$(stat -c %s sparse.tar)" -lt 100000 ] && echo "sparse archive is small"
mkdir holes; tar -xSf sparse.tar -C holes; cmp tree/sparse holes/tree/sparse && echo "same hole"
tar -rf tree.tar --transform='s/^/added-/' tree/d1/f1; tar -tf tree.tar | tail -n 1
tar --delete -f tree.tar tree/d0; tar -tf tree.tar | wc -l

echo "== through a pipe"
mkdir piped; tar -cf - tree | tar -xpf - -C piped
[ "$(listing tree)" = "$(listing piped/tree)" ] && echo "same"
for tool in gzip bzip2 xz zstd; do
  command -v "$tool" > /dev/null || continue
  rm -rf out; mkdir out; tar -cf "tree.$tool" "--$tool" tree/d1 tree/d2; tar -xf "tree.$tool" -C out
  find out -type f | wc -l
done
tar -cf - --one-file-system tree | head -c 100000 | tar -tf - > /dev/null 2>&1 ||
  echo "truncated: $?"
tar -cf many.tar -T <(find tree -name 'f1?' | sort); tar -tf many.tar | wc -l
tar --exclude='f*' -cf - tree | tar -t | wc -l
tar -g snapshot -cf full.tar tree/d1; echo new > tree/d1/new
tar -g snapshot -cf changed.tar tree/d1; tar -tf changed.tar

if command -v cpio > /dev/null; then
  echo "== cpio"
  (cd tree; find . | sort | cpio -o -H newc --quiet) > tree.cpio
  cpio -t --quiet < tree.cpio | wc -l
  mkdir cpio; (cd cpio; cpio -idm --quiet < ../tree.cpio)
  [ "$(listing tree)" = "$(listing cpio)" ] && echo "same"
  mkdir passed; (cd tree; find d1 soft | cpio -pdm --quiet ../passed); find passed | wc -l
fi
if command -v zip > /dev/null && command -v unzip > /dev/null; then
  echo "== zip"
  zip -qry tree.zip tree/d1 tree/d2 tree/soft; unzip -Z1 tree.zip | wc -l
  mkdir unzipped; unzip -q tree.zip -d unzipped
  diff -r tree/d2 unzipped/tree/d2 && readlink unzipped/tree/soft
fi
