# An HTTP server of Python's, asked by curl and wget: files, ranges, many at once, errors.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in python3 curl wget; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

mkdir site
seq 1 200000 > site/large
echo small > site/small
PYTHONUNBUFFERED=1 /usr/bin/python3 -m http.server 0 --bind 127.0.0.1 --directory site \
  > server.log 2> access.log &
server=$!
mkfifo ready
(tail -f server.log 2> /dev/null | grep -m 1 --line-buffered port > ready) &
port=$(sed -nE 's/.* port ([0-9]+).*/\1/p' ready)
url=http://127.0.0.1:$port

echo "== curl"
curl -sS "$url/large" | cmp - site/large && echo same
curl -sS -r 100-199 "$url/small" -o /dev/null -w '%{http_code} %{num_connects}\n'
curl -sSI "$url/large" | sed -nE 's/^(Content-Length: [0-9]+).*/\1/p'
curl -s -o /dev/null -w '%{http_code}\n' "$url/missing"
curl -sS "http://localhost:$port/small" -w '%{remote_ip}\n'
echo "== many"
for ((i = 0; i < 20; i++)); do echo "url = \"$url/small\""; done > list
curl -sS -Z -K list | sort | uniq -c | sed 's/^ *//'
echo "== wget"
wget -q -O got "$url/large" && cmp got site/large && echo same
wget -q -r -nH -P copy "$url/" && ls copy
echo "== nobody"
curl -s http://127.0.0.1:1/ || echo "curl says $?"
curl -s --max-time 1 http://127.0.0.1:$port/small -o /dev/null --resolve x:1:127.0.0.1 && echo fine
kill $server
wait $server || echo "server ended with $?"
grep -c 'GET /small' access.log
