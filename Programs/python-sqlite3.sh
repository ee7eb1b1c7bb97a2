# SQLite inside Python: transactions, journal modes, two processes and the locks between them.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > program.py <<'END'
import os, sqlite3, threading

for mode in ("delete", "truncate", "persist", "memory", "wal"):
    with sqlite3.connect(f"{mode}.db", isolation_level=None) as db:
        print(db.execute(f"PRAGMA journal_mode={mode}").fetchone())
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, data BLOB)")
        for batch in range(5):
            db.execute("BEGIN")
            db.executemany("INSERT INTO t (name, data) VALUES (?, ?)",
                           ((f"name {n * 7919 % 2000}",
                               bytes([n % 256]) * 50) for n in range(2000)))
            db.execute("COMMIT")
        db.execute("CREATE INDEX by_name ON t (name)")
        db.execute("DELETE FROM t WHERE id % 3 = 0")
        print(db.execute("SELECT count(*), sum(length(data)), max(name) FROM t").fetchone())
        db.execute("BEGIN"); db.execute("DELETE FROM t"); db.execute("ROLLBACK")
        db.execute("VACUUM")
        print(db.execute("PRAGMA integrity_check").fetchone())
print(sorted(os.listdir())[:3])

print("== a second process waits for the lock")
def increment(times):
    db = sqlite3.connect("wal.db", timeout=60, isolation_level=None)
    for _ in range(times):
        db.execute("BEGIN IMMEDIATE")
        (value,) = db.execute("SELECT value FROM counter").fetchone()
        db.execute("UPDATE counter SET value = ?", (value + 1,))
        db.execute("COMMIT")
    db.close()

db = sqlite3.connect("wal.db"); db.execute("CREATE TABLE counter (value)")
db.execute("INSERT INTO counter VALUES (0)"); db.commit(); db.close()
children = []
for _ in range(3):
    if (child := os.fork()) == 0:
        increment(50); os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
threads = [threading.Thread(target=increment, args=(50,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sqlite3.connect("wal.db").execute("SELECT value FROM counter").fetchone())

print("== a lock is refused")
one = sqlite3.connect("delete.db", isolation_level=None); one.execute("BEGIN EXCLUSIVE")
reading, writing = os.pipe()
if os.fork() == 0:
    two = sqlite3.connect("delete.db", timeout=0.05)
    try:
        two.execute("SELECT count(*) FROM t")
    except sqlite3.OperationalError as error:
        os.write(writing, str(error).encode())
    os._exit(0)
os.wait(); print(os.read(reading, 100)); one.execute("COMMIT")

print("== a killed writer is rolled back")
if os.fork() == 0:
    three = sqlite3.connect("delete.db", isolation_level=None)
    three.execute("PRAGMA cache_size=5"); three.execute("BEGIN")
    three.execute("UPDATE t SET data = zeroblob(500)"); os._exit(0)
os.wait()
print(os.path.exists("delete.db-journal"),
    one.execute("SELECT max(length(data)) FROM t").fetchone())
print(one.execute("PRAGMA integrity_check").fetchone())
END
python3 program.py
