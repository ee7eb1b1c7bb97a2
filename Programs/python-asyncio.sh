# Python's asyncio over epoll: unix sockets, subprocesses, timers, signals, descriptors passed on.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > program.py <<'END'
import array, asyncio, os, signal, socket, stat, struct

async def answer(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper()); await writer.drain()
    writer.close()

async def ask(number):
    reader, writer = await asyncio.open_unix_connection("server.sock")
    for turn in range(20):
        writer.write(f"client {number} turn {turn}\n".encode())
        line = await reader.readline()
        assert line == f"CLIENT {number} TURN {turn}\n".encode(), line
    writer.close(); await writer.wait_closed()
    return number

async def echo():
    server = await asyncio.start_unix_server(answer, "server.sock", limit=1 << 23)
    print(stat.S_ISSOCK(os.stat("server.sock").st_mode))
    print(sum(await asyncio.gather(*(ask(number) for number in range(100)))))
    reader, writer = await asyncio.open_unix_connection("server.sock", limit=1 << 23)
    writer.write(b"y" * 5_000_000 + b"\n"); print(len(await reader.readline()))
    writer.close(); server.close(); await server.wait_closed()
    os.unlink("server.sock")
    try:
        await asyncio.open_unix_connection("server.sock")
    except FileNotFoundError as error:
        print(error.strerror)

async def children():
    shell = await asyncio.create_subprocess_shell("cat; exit 3", stdin=-1, stdout=-1)
    print((await shell.communicate(b"to a child"))[0], shell.returncode)
    many = [await asyncio.create_subprocess_exec("sh", "-c", f"exit {n}") for n in range(10)]
    print([await process.wait() for process in many])
    sleeper = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        await asyncio.wait_for(sleeper.wait(), 0.05)
    except asyncio.TimeoutError:
        sleeper.kill(); print("killed", await sleeper.wait())

async def timers_and_signals():
    order = []
    async def later(delay): await asyncio.sleep(delay); order.append(delay)
    await asyncio.gather(later(0.15), later(0.0), later(0.3)); print(order)
    caught = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, caught.set)
    os.kill(os.getpid(), signal.SIGUSR1); print(await caught.wait())
    print(await asyncio.to_thread(sum, range(1000)))

def sockets():
    left, right = socket.socketpair()
    reading, writing = os.pipe()
    left.sendmsg([b"descriptor"],
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writing]))])
    data, ancillary, _, _ = right.recvmsg(100, socket.CMSG_SPACE(4))
    received = array.array("i", ancillary[0][2])[0]
    os.close(writing); os.write(received, b"through a passed pipe"); os.close(received)
    print(data, os.read(reading, 100), os.read(reading, 100))
    pid, user, group = struct.unpack("3i",
        left.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    print(pid == os.getpid(), user == os.getuid(), group == os.getgid())
    left.shutdown(socket.SHUT_WR); print(right.recv(1)); right.send(b"half open")
    print(left.recv(100))
    left.close()
    try:
        right.send(b"x")
    except BrokenPipeError as error:
        print(error.strerror)
    name = b"\0paravane-test"
    packets = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); packets.bind(name)
    packets.listen()
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); client.connect(name)
    peer, _ = packets.accept(); client.send(b"one"); client.send(b"three")
    print(peer.recv(100), peer.recv(2))
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); receiver.bind("datagrams")
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); sender.bind("sender")
    sender.sendto(b"datagram", "datagrams"); print(receiver.recvfrom(100))
    receiver.setblocking(False)
    try:
        receiver.recv(1)
    except BlockingIOError as error:
        print(error.strerror)
    receiver.close()
    try:
        sender.sendto(b"datagram", "datagrams")
    except ConnectionRefusedError as error:
        print(error.strerror)

print("== echo server"); asyncio.run(echo())
print("== children"); asyncio.run(children())
print("== timers and signals"); asyncio.run(timers_and_signals())
print("== sockets"); sockets()
END
python3 program.py
