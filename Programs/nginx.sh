# nginx: several workers, sendfile, keep-alive, a reload under load, its end.
# timeout: 120
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in nginx curl; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
mkdir site
chmod 755 . site
seq 1 300000 > site/large
echo small > site/small
configuration() {
  cat > nginx.conf <<END
worker_processes 3;
daemon off;
user root;
pid $PWD/pid;
error_log $PWD/error.log;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path $PWD/body; proxy_temp_path $PWD/proxy; fastcgi_temp_path $PWD/fastcgi;
  uwsgi_temp_path $PWD/uwsgi; scgi_temp_path $PWD/scgi;
  server {
    listen 127.0.0.1:$port;
    listen [::1]:$port;
    root $PWD/site;
    location /say { return 200 "$1\n"; }
    location /back/ { proxy_pass http://127.0.0.1:$port/; }
  }
}
END
}
configuration first
nginx -e error.log -c "$PWD/nginx.conf" -t 2>&1 | grep -c successful
nginx -e error.log -c "$PWD/nginx.conf" &
server=$!
url=http://127.0.0.1:$port
until curl -s "$url/say" > /dev/null; do :; done
curl -s "$url/say"
curl -s "$url/large" | cmp - site/large && echo "sent whole"
tail -c +1001 site/large | head -c 1000 > range
curl -s -r 1000-1999 "$url/large" | cmp - range && echo "a range"
curl -s "http://[::1]:$port/small"
curl -s "$url/back/small"
curl -s "$url/back/large" | cmp - site/large && echo "sent on whole"
curl -s -o /dev/null -w '%{http_code}\n' "$url/missing"
curl -s "$url/small" "$url/small" -o /dev/null -o /dev/null -w '%{num_connects}\n' | paste -sd' '
for ((i = 0; i < 60; i++)); do echo "url = \"$url/small\""; done > list
curl -sS -Z -K list | sort | uniq -c | sed 's/^ *//'
echo "== reload"
(for ((i = 0; i < 60; i++)); do curl -s -o /dev/null -w '%{http_code}\n' "$url/large"; done |
  sort | uniq -c | sed 's/^ *//') &
load=$!
configuration second
kill -HUP "$(cat pid)"
until [ "$(curl -s "$url/say")" = second ]; do :; done
curl -s "$url/say"
wait $load
echo "== the end"
kill -QUIT "$(cat pid)"
wait $server && echo "in peace"
grep -cE 'alert|crit|emerg' error.log || true
