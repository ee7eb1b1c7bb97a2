# redis-server: data, a snapshot by a forked child, an append-only file, a restart, its benchmark.
# timeout: 120
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in redis-server redis-cli redis-benchmark; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
start() {
  redis-server --port "$port" --bind 127.0.0.1 --dir "$PWD" --save "" --appendonly yes \
    --unixsocket "$PWD/socket" > "log$1" 2>&1 &
  server=$!
  # While it loads it answers, too.
  until [ "$(redis-cli -p "$port" ping 2> /dev/null)" = PONG ]; do :; done
}
cli() { redis-cli -p "$port" "$@"; }

start 1
cli ping
cli set greeting hello
cli append greeting " world"
cli get greeting
seq 1 5000 | sed 's/.*/SET key& value&/' | cli --pipe | tail -n 1
cli dbsize
cli bgsave
until cli info persistence | grep -q rdb_bgsave_in_progress:0; do :; done
cli info persistence | tr -d '\r' | grep rdb_last_bgsave_status
[ -s dump.rdb ] && echo "a snapshot"
redis-cli -s socket get key77
cli eval 'local s = 0; for i = 1, 100 do s = s + i end; return s' 0
redis-cli -p "$port" subscribe news > messages &
subscriber=$!
until [ "$(cli pubsub numsub news | tail -n 1)" = 1 ]; do :; done
cli publish news item
until grep -q item messages; do :; done
kill $subscriber
sed -n 6p messages
echo "== restart"
cli shutdown
wait $server
start 2
cli dbsize
cli get greeting
echo "== killed"
cli set last word
cli config set appendfsync always
cli set very last
kill -KILL $server
wait $server || echo "ended with $?"
start 3
cli get very
echo "== benchmark"
redis-benchmark -p "$port" -n 2000 -c 20 -t set,get,incr,lpush -q --csv | cut -d, -f1
redis-benchmark -p "$port" -n 5000 -c 10 -P 16 -t set,get -q --csv | cut -d, -f1
cli shutdown
wait $server && echo "the end"
