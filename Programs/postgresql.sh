# PostgreSQL: a cluster, its benchmark, an end by SIGKILL under load, and what is there afterwards.
# timeout: 180
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | tail -n 1)
export PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD PGUSER=postgres
[ -x "$bin/postgres" ] || { echo "SKIP: postgresql is not installed"; exit 0; }

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
export PGPORT=$port PGHOST=127.0.0.1
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
# It may not be reached by name.
chmod 755 .
mkdir data socket
chown postgres: data socket
(cd data && as_postgres initdb -D "$PWD" -A trust > ../initdb.log) && echo "initialized"

start() {
  (cd data && exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D "$PWD" \
    -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$OLDPWD/socket") \
    >> server.log 2>&1 &
  server=$!
  until psql -Atc 'select 1' postgres > answer 2> /dev/null; do kill -0 $server; done
}
ask() { psql -At -c "$1" bench; }

start
createdb bench
psql -At -h "$PWD/socket" -c 'select current_user, inet_server_addr() is null' postgres
pgbench -q -i -s 1 bench 2> /dev/null
ask 'select count(*) from pgbench_accounts'
pgbench -n -c 4 -j 2 -t 50 bench 2>&1 | grep 'actually processed'
pgbench -n -S -c 4 -j 2 -t 200 -M prepared bench 2>&1 | grep 'actually processed'
ask 'select sum(abalance) = (select sum(delta) from pgbench_history) from pgbench_accounts'
echo "== queries"
ask "create table t as select n, md5(n::text) as h from generate_series(1, 50000) n"
ask "create index on t (h)"
ask "set max_parallel_workers_per_gather = 2; set parallel_setup_cost = 0;
     set min_parallel_table_scan_size = 0; select count(*), sum(length(h)) from t where h > '8'" |
  tail -n 1
ask "listen news; notify news, 'item'" | head -n 2
psql -At bench <<SQL
begin; select pg_advisory_xact_lock(7); savepoint a; delete from t; rollback to a; commit;
select count(*) from t;
\copy (select * from t where n <= 1000) to 'copy.csv' csv
SQL
wc -l < copy.csv
echo "== killed"
ask "create table marks (n int)"
(
  n=0
  while ask "insert into marks values ($n)" > /dev/null 2>&1; do
    n=$((n + 1))
    echo $n > confirmed
  done
) &
writer=$!
until [ "$(cat confirmed 2> /dev/null || echo 0)" -ge 5 ]; do :; done
kill -KILL "$(head -n 1 data/postmaster.pid)"
wait $server || echo "ended with $?"
wait $writer
# Its children notice, and go.
while pgrep -u postgres -f "^postgres: " > /dev/null; do :; done
start
grep -c 'automatic recovery in progress' server.log
[ "$(ask 'select count(*) from marks')" -ge "$(cat confirmed)" ] && echo "all that was confirmed"
ask 'select count(*) from t'
echo "== stopped"
kill -INT $server
wait $server && echo "in peace"
