# SQLite with a write-ahead log from several processes: none loses what another wrote.
# timeout: 120
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v sqlite3 > /dev/null || { echo "SKIP: sqlite3 is not installed"; exit 0; }

sqlite3 shared.db "PRAGMA journal_mode=WAL; CREATE TABLE t (who TEXT, n INTEGER, UNIQUE (who, n))"
writer() {
  {
    echo ".timeout 60000"
    for ((n = 0; n < 300; n++)); do echo "INSERT INTO t VALUES ('$1', $n);"; done
  } | sqlite3 shared.db
}
reader() {
  # What is counted never gets less.
  for ((i = 0; i < 20; i++)); do echo ".timeout 60000"; echo "SELECT count(*) FROM t;"; done |
    sqlite3 shared.db | sort -nc && echo "read in order"
}
writer one & first=$!
writer two & second=$!
reader & third=$!
wait $first && wait $second && wait $third
sqlite3 shared.db "SELECT who, count(*), sum(n) FROM t GROUP BY who ORDER BY who"
echo "== a reader keeps its view"
coproc VIEW { sqlite3 shared.db; }
echo "BEGIN; SELECT count(*) FROM t;" >&"${VIEW[1]}"
read -r before <&"${VIEW[0]}"
sqlite3 shared.db "DELETE FROM t WHERE who = 'one'; SELECT changes()"
echo "SELECT count(*) FROM t; COMMIT; SELECT count(*) FROM t;" >&"${VIEW[1]}"
read -r during <&"${VIEW[0]}"
read -r after <&"${VIEW[0]}"
echo "$before $during $after"
view=$VIEW_PID
exec {VIEW[1]}>&-
wait "$view"
echo "== a writer is killed"
coproc HOLDER { sqlite3 shared.db; }
echo "BEGIN IMMEDIATE; INSERT INTO t VALUES ('dead', 1); SELECT 'holding';" >&"${HOLDER[1]}"
read -r word <&"${HOLDER[0]}"
echo "$word"
sqlite3 shared.db "INSERT INTO t VALUES ('three', 1)" 2>&1 | grep -o 'database is locked'
holder=$HOLDER_PID
kill -KILL "$holder"
wait "$holder" 2> /dev/null || echo "ended with $?"
sqlite3 -cmd ".timeout 10000" shared.db "INSERT INTO t VALUES ('three', 2); SELECT * FROM t \
WHERE who IN ('dead', 'three')"
sqlite3 shared.db "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA integrity_check"
ls
