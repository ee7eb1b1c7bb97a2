# Diff, patch, cmp, diff3 and ed: changes to a tree are taken out and applied elsewhere.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD TZ=UTC
for tool in diff patch; do
  command -v "$tool" > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

mkdir -p old/sub; for ((i = 0; i < 100; i++)); do seq "$i" $((i + 50)) > "old/f$i"; done
seq 1 2000 > old/sub/long
cp -r old new
sed -i 's/^30$/thirty/' new/f1?; sed -i -e '500,510d' -e '1000a inserted' new/sub/long; rm new/f99
echo created > new/created
diff -rq old new | sort | head -n 3 || true
diff old/f10 new/f10 || echo "status $?"; diff old/f0 new/f0 && echo "same"
diff -U1 --label a --label b old/f11 new/f11 || true
diff -y -W 30 --suppress-common-lines old/f12 new/f12 || true
(diff -ruN old new || true) > changes; grep -c '^[-+][^-+]' changes
cp -r old target; (cd target; patch -s -p1 < ../changes); diff -r new target && echo "applied"
(cd target; patch -s -R -p1 < ../changes); diff -r old target && echo "taken back"
sed -i '1,20d' target/sub/long; (cd target; patch -p1 < ../changes) | grep -c offset
(cd target; patch -p1 -N --dry-run < ../changes) > refused 2>&1 || echo "second time: $?"
echo unrelated > target/f15
(diff -u old/f15 new/f15 || true) | patch -s target/f15 > refused 2>&1 || echo "refused: $?"
ls target/*.rej
(diff -e old/sub/long new/sub/long || true) > script
if command -v ed > /dev/null; then cp old/sub/long edited
{ cat script; echo w; echo q; } | ed -s edited; cmp edited new/sub/long && echo "edited"; fi
cmp old/f10 new/f10 || echo "cmp $?"; cmp -l <(echo abc) <(echo abd) || true
seq 1 10 > base; sed 's/^2$/two/' base > mine; sed 's/^9$/nine/' base > yours
diff3 -m mine base yours | tr '\n' ' '; echo
sed 's/^2$/zwei/' base > yours; diff3 -m mine base yours | head -n 4 || true
sdiff -s mine yours || true
