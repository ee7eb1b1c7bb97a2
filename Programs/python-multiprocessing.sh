# Processes of Python: pools by fork and spawn, queues, pipes, shared memory, semaphores, managers.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > program.py <<'END'
import concurrent.futures, multiprocessing as mp, os, signal
from multiprocessing import shared_memory

def square(number):
    return number * number

def fail(number):
    raise ValueError(f"task {number}")

def die(number):
    os.kill(os.getpid(), signal.SIGKILL)

def count(counter, lock, rounds):
    for _ in range(rounds):
        with lock:
            counter.value += 1

def serve(connection):
    while (message := connection.recv()) is not None:
        connection.send(message[::-1])

def fill(name, index):
    memory = shared_memory.SharedMemory(name)
    memory.buf[index * 1000:(index + 1) * 1000] = bytes([index]) * 1000
    memory.close()

def main():
    for method in ("fork", "spawn", "forkserver"):
        context = mp.get_context(method)
        with context.Pool(3) as pool:
            print(method, sum(pool.map(square, range(1000), chunksize=50)))
    with mp.Pool(2) as pool:
        try:
            pool.map(fail, [1])
        except ValueError as error:
            print("raised in a child:", error)
        print(sorted(pool.imap_unordered(square, range(10))))
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        try:
            executor.submit(die, 0).result()
        except concurrent.futures.process.BrokenProcessPool as error:
            print(type(error).__name__)

    print("== shared counter")
    counter, lock = mp.Value("i", 0, lock=False), mp.Lock()
    processes = [mp.Process(target=count, args=(counter, lock, 2000)) for _ in range(4)]
    for process in processes: process.start()
    for process in processes: process.join()
    print(counter.value, [process.exitcode for process in processes])

    print("== pipe and queue")
    here, there = mp.Pipe()
    process = mp.Process(target=serve, args=(there,)); process.start()
    for length in (1, 100, 100_000, 3_000_000):
        here.send(b"a" + b"b" * length); print(len(here.recv()))
    here.send(None); process.join()
    queue = mp.Queue()
    process = mp.Process(target=lambda: [queue.put("x" * 1000) for _ in range(500)])
    process.start(); print(sum(len(queue.get()) for _ in range(500))); process.join()

    print("== shared memory")
    memory = shared_memory.SharedMemory(create=True, size=8000)
    processes = [mp.Process(target=fill, args=(memory.name, index)) for index in range(8)]
    for process in processes: process.start()
    for process in processes: process.join()
    print([memory.buf[index * 1000 + 999] for index in range(8)])
    memory.close(); memory.unlink()

    print("== manager, barrier, termination")
    with mp.Manager() as manager:
        shared = manager.dict()
        process = mp.Process(target=lambda: shared.update(answer=42)); process.start()
        process.join()
        print(dict(shared))
    barrier = mp.Barrier(4)
    processes = [mp.Process(target=barrier.wait) for _ in range(3)]
    for process in processes: process.start()
    barrier.wait()
    for process in processes: process.join()
    print([process.exitcode for process in processes])
    process = mp.Process(target=signal.pause); process.start(); process.terminate(); process.join()
    print(process.exitcode)

if __name__ == "__main__":
    main()
END
python3 program.py 2> errors || { cat errors >&2; exit 1; }
