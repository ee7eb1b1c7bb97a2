# The sqlite3 shell: 100,000 inserts, an index, queries, an integrity check, dump and restore.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v sqlite3 > /dev/null || { echo "SKIP: sqlite3 is not installed"; exit 0; }

{
  echo "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, score REAL);"
  echo "BEGIN;"
  seq 1 100000 | awk '{
    printf "INSERT INTO t (name, score) VALUES (\047name %d\047, %d.5);\n",
      $1 * 7919 % 100000, $1 % 997
  }'
  echo "COMMIT;"
} > inserts.sql
sqlite3 inserted.db < inserts.sql
sqlite3 inserted.db <<'END'
CREATE UNIQUE INDEX by_name ON t (name);
SELECT count(*), count(DISTINCT name), sum(score) FROM t;
SELECT * FROM t WHERE name = 'name 4242';
SELECT score, count(*) FROM t GROUP BY score ORDER BY count(*) DESC, score LIMIT 3;
EXPLAIN QUERY PLAN SELECT * FROM t WHERE name = 'x';
PRAGMA integrity_check;
END
echo "== small transactions"
for mode in delete wal; do
  {
    echo "PRAGMA journal_mode=$mode;"
    seq 1 150 | sed "s/.*/INSERT INTO t (name, score) VALUES ('$mode &', &);/"
  } | sqlite3 inserted.db
done
sqlite3 inserted.db "SELECT count(*) FROM t; PRAGMA wal_checkpoint(TRUNCATE)"
sqlite3 inserted.db "PRAGMA journal_mode=delete"
echo "== dump and restore"
sqlite3 inserted.db .dump | sqlite3 restored.db
sqlite3 restored.db "SELECT count(*), sum(length(name)) FROM t; PRAGMA integrity_check"
sqlite3 inserted.db "VACUUM; PRAGMA integrity_check"
sqlite3 inserted.db "VACUUM INTO 'vacuumed.db'"
sqlite3 -csv vacuumed.db "SELECT * FROM t WHERE id BETWEEN 10 AND 12"
sqlite3 inserted.db ".backup backup.db"
sqlite3 backup.db "ATTACH 'restored.db' AS r;
  SELECT count(*) FROM (SELECT * FROM t EXCEPT SELECT * FROM r.t)"
echo "== errors"
sqlite3 inserted.db "INSERT INTO t (name) VALUES ('name 1')" 2>&1 || echo "status $?"
head -c 20000 inserted.db > damaged.db
sqlite3 damaged.db "PRAGMA integrity_check" > /dev/null 2>&1 || echo "damage is found"
ls
