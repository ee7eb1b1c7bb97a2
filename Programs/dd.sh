# Dd and other copiers: block sizes, offsets, sparse output, pipes, special files, large files.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

seq 1 300000 > numbers
dd if=numbers of=copy bs=64k status=none; cmp numbers copy && echo "copied"
dd if=numbers of=tiny bs=1 count=3000 status=none; cmp -n 3000 numbers tiny && wc -c < tiny
dd if=numbers bs=100 skip=5 count=2 status=none | sha256sum
dd if=numbers bs=1000 iflag=skip_bytes,count_bytes skip=12345 count=54321 status=none | wc -c
dd if=/dev/zero of=patched bs=1k count=64 status=none
echo "in the middle" | dd of=patched bs=1 seek=30000 conv=notrunc status=none
tail -c +30001 patched | head -n 1; stat -c %s patched
dd if=/dev/null of=patched bs=1 seek=1000 status=none; stat -c %s patched
dd if=/dev/zero of=sparse bs=1M seek=100 count=1 status=none; stat -c %s sparse
cp --sparse=always sparse sparser; cmp sparse sparser && echo "sparse copy"
dd if=numbers of=synced bs=256k oflag=sync conv=fsync status=none
cmp numbers synced && echo "synced"
dd if=numbers of=appended bs=8k oflag=append conv=notrunc status=none; cat numbers >> appended
stat -c %s appended
seq 1 1000 | dd bs=7 conv=ucase,swab status=none | wc -c
dd if=/dev/zero bs=1M count=200 status=none | dd of=/dev/null bs=64k 2>&1 | tail -n 1 | cut -d, -f1
yes | dd bs=4096 count=1000 iflag=fullblock status=none | wc -c
dd if=/dev/urandom bs=1k count=16 status=none | sort -u | wc -c | awk '{ print ($1 > 16000) }'
dd if=/dev/full of=/dev/null count=1 status=none && echo "read /dev/full"
dd if=/dev/zero of=/dev/full count=1 2>&1 | head -n 1
dd if=absent 2>&1 || echo "status $?"
dd if=numbers of=/dev/stdout bs=10 count=1 status=none | od -An -c
{ echo direct > /dev/stderr; } 2> note; cat note
cat numbers > /dev/null < numbers; head -c 5 /dev/zero | od -An -tx1; tail -c 7 numbers
tail -n 2 numbers | tac
tail -f numbers > followed & tail=$!; echo more >> numbers
until grep -q more followed; do sleep 0.01; done; kill $tail
wait $tail || echo "tail ended with $?"
truncate -s 5 copy; truncate -s +3 copy; od -c copy | head -n 1; fallocate -l 100000 room
stat -c %s room
install -D -m 750 numbers deep/er/installed; stat -c '%a %s' deep/er/installed; shred -u -n 1 tiny
ls tiny 2>&1 || true
sha1sum numbers copy > sums; sha1sum -c sums; cksum numbers; b2sum numbers | cut -c1-16; sum numbers
