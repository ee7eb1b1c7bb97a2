# Names: dnsmasq answers dig and the C library's resolver, by UDP and TCP.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in dnsmasq dig getent; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
long=$(printf 'x%.0s' {1..200})
dnsmasq --no-daemon --conf-file=/dev/null --no-resolv --no-hosts --port="$port" --user=root \
  --listen-address=127.0.0.1 --bind-interfaces --pid-file="$PWD/pid" \
  --address=/one.test/192.0.2.1 --address=/six.test/2001:db8::6 --cname=alias.test,one.test \
  --txt-record=text.test,"$long","$long","$long","$long" 2> log &
server=$!
ask() { dig @127.0.0.1 -p "$port" +short +tries=5 +time=2 "$@"; }
until dig @127.0.0.1 -p "$port" +short +tries=1 +time=1 one.test > /dev/null; do :; done

ask one.test
ask six.test AAAA
ask +tcp one.test
ask text.test TXT | wc -c
ask +bufsize=512 text.test TXT | wc -c
ask -x 127.0.0.1 || true
dig @127.0.0.1 -p "$port" missing.example | sed -nE 's/.*status: ([A-Z]+),.*/\1/p'
ask one.test six.test AAAA | sort
kill $server
wait $server || true
echo "== the resolver"
getent hosts localhost | sed 's/ \+/ /'
getent ahosts 127.0.0.1 | sed 's/ \+/ /' | sort -u
getent hosts not-a-name.invalid || echo "not found: $?"
/usr/bin/python3 - <<'END'
import socket
print(sorted({info[4][0] for info in socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)}))
print(socket.getaddrinfo("::1", "http", type=socket.SOCK_STREAM)[0][4][:2])
print(socket.getnameinfo(("127.0.0.1", 22), socket.NI_NUMERICHOST))
END
