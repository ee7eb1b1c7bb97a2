# Signals and bash: traps, inheritance, EINTR, exit statuses of killed children.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

echo "== traps of this shell"
for signal in HUP USR1 USR2 TERM; do
  trap "echo caught $signal" "$signal"
  kill -s "$signal" $$
done
trap - HUP USR1 USR2 TERM
trap '' INT; kill -INT $$; echo "INT is ignored"
bash -c 'kill -INT $$; echo "and so it is in a child"'
trap - INT

echo "== EXIT, ERR, DEBUG and RETURN"
bash -c 'trap "echo leaving with \$?" EXIT; exit 3'; echo "status $?"
bash -c 'trap "echo leaving" EXIT; kill -TERM $$; echo not reached' 2> /dev/null; echo "status $?"
bash -c 'trap "echo failed on line \$LINENO" ERR; false; true'
bash -c 'set -T; f() { trap "echo returned" RETURN; echo inside; }; f'

echo "== killed children"
for signal in HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM USR1; do
  (ulimit -c 0; exec env --default-signal sh -c "kill -$signal \$\$")
  echo "$signal $?"
done 2> /dev/null

echo "== wait is interrupted by a trap"
trap 'interrupted=yes' USR1
shell=$$
(until [ -e stop ]; do kill -USR1 "$shell"; sleep 0.01; done) &
child=$!
wait "$child"; echo "wait gave more than 128: $(($? > 128)), interrupted: $interrupted"
: > stop
until wait "$child"; do :; done; echo "child gave $?"

echo "== a trap runs after the foreground command"
bash -c 'trap "echo late" USR1; bash -c "kill -USR1 \$PPID; echo child done"; echo parent done'

echo "== timeout"
mkfifo block; timeout 0.2 cat block; echo "timeout $?"
(timeout -s KILL 0.2 sleep 100) 2> /dev/null; echo "timeout by KILL $?"
timeout 100 true; echo "in time $?"

echo "== many signals"
count=0
trap 'count=$((count + 1))' USR2
for ((i = 0; i < 500; i++)); do kill -USR2 $$; done
echo "handled $count"
