# memcached: the text protocol by TCP and a unix socket, many connections, large values.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
command -v memcached > /dev/null || { echo "SKIP: memcached is not installed"; exit 0; }

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])')
/usr/bin/python3 - "$port" <<'END'
import socket, subprocess, sys, threading
address = ("127.0.0.1", int(sys.argv[1]))
server = subprocess.Popen(["memcached", "-u", "root", "-l", address[0], "-p", sys.argv[1], "-U", "0",
                           "-t", "4", "-m", "64", "-vv"], stderr=subprocess.PIPE)
while b"server listening" not in server.stderr.readline():
    pass
# What it says of each command is read, so that it can go on.
threading.Thread(target=server.stderr.read, daemon=True).start()
connection = socket.create_connection(address)

def ask(connection, text, end):
    connection.sendall(text)
    answer = b""
    while not answer.endswith(end):
        answer += connection.recv(65536)
    return answer

print(ask(connection, b"set a 0 0 5\r\nhello\r\n", b"\r\n"))
print(ask(connection, b"get a\r\n", b"END\r\n"))
large = b"x" * 900000
print(ask(connection, b"set large 0 0 900000\r\n" + large + b"\r\n", b"\r\n"))
print(len(ask(connection, b"get large\r\n", b"END\r\n")))
print(ask(connection, b"incr a 1\r\n", b"\r\n"), ask(connection, b"delete a\r\n", b"\r\n"))

def work(number, failures):
    own = socket.create_connection(address)
    for i in range(200):
        key = b"k%d-%d" % (number, i)
        if ask(own, b"set %s 0 0 3\r\nabc\r\n" % key, b"\r\n") != b"STORED\r\n":
            failures.append(key)
        if b"abc" not in ask(own, b"get %s\r\n" % key, b"END\r\n"):
            failures.append(key)
failures = []
threads = [threading.Thread(target=work, args=(n, failures)) for n in range(16)]
[t.start() for t in threads]
[t.join() for t in threads]
print("failures", failures)
server.terminate()
server.wait()
END
