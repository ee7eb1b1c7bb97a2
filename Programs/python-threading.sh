# Threads of Python: locks, conditions, queues, pools, thread-local data, signals to a busy process.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

cat > program.py <<'END'
import concurrent.futures, hashlib, os, queue, signal, threading, time

print("== lock")
total, lock = 0, threading.Lock()
def add():
    global total
    for _ in range(20_000):
        with lock:
            total += 1
threads = [threading.Thread(target=add) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(total)

print("== queue")
tasks, results = queue.Queue(maxsize=4), queue.Queue()
def work():
    while (number := tasks.get()) is not None:
        results.put(number * number)
workers = [threading.Thread(target=work) for _ in range(4)]
for worker in workers: worker.start()
for number in range(2000): tasks.put(number)
for _ in workers: tasks.put(None)
for worker in workers: worker.join()
print(sum(results.get() for _ in range(2000)))

print("== condition, event, barrier, semaphore")
turn, condition, words = 0, threading.Condition(), []
def speak(me):
    global turn
    for _ in range(50):
        with condition:
            condition.wait_for(lambda: turn == me)
            words.append("abc"[me]); turn = (me + 1) % 3
            condition.notify_all()
speakers = [threading.Thread(target=speak, args=(me,)) for me in range(3)]
for speaker in speakers: speaker.start()
for speaker in speakers: speaker.join()
print("".join(words) == "abc" * 50)
event = threading.Event(); print(event.wait(0.01)); threading.Timer(0.01, event.set).start()
print(event.wait())
barrier = threading.Barrier(6); arrived, counted = [], []
def meet():
    arrived.append(1); barrier.wait(); counted.append(len(arrived))
meeting = [threading.Thread(target=meet) for _ in range(6)]
for thread in meeting: thread.start()
for thread in meeting: thread.join()
print(counted)
semaphore = threading.Semaphore(0); print(semaphore.acquire(timeout=0.01))

print("== many threads at once")
gate = threading.Event(); local = threading.local(); ids = set()
def stand(number):
    local.number = number; gate.wait()
    with lock: ids.add((threading.get_native_id(), local.number))
crowd = [threading.Thread(target=stand, args=(number,)) for number in range(200)]
for thread in crowd: thread.start()
print(threading.active_count(), len(os.listdir("/proc/self/task")))
gate.set()
for thread in crowd: thread.join()
print(len(ids), len({thread for thread, _ in ids}))
while len(os.listdir("/proc/self/task")) > 1: time.sleep(0.001)

print("== pools")
blocks = [bytes([number]) * 3_000_000 for number in range(8)]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    digests = list(pool.map(lambda block: hashlib.sha256(block).hexdigest()[:8], blocks))
print(digests == [hashlib.sha256(block).hexdigest()[:8] for block in blocks], digests[0])

print("== pipes between threads")
reading, writing = os.pipe()
def pump():
    for _ in range(200): os.write(writing, b"x" * 10_000)
    os.close(writing)
pumping = threading.Thread(target=pump); pumping.start()
count = 0
while data := os.read(reading, 65536): count += len(data)
pumping.join(); print(count)

print("== signals to a process with threads")
caught = []
signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
def send():
    for _ in range(100):
        before = len(caught); os.kill(os.getpid(), signal.SIGUSR1)
        while len(caught) == before: time.sleep(0.0005)
sender = threading.Thread(target=send); sender.start()
while sender.is_alive(): sender.join(0.01)
print(len(caught))

print("== fork from a process with threads")
stop = threading.Event()
busy = [threading.Thread(target=lambda: stop.wait()) for _ in range(4)]
for thread in busy: thread.start()
if (child := os.fork()) == 0:
    os._exit(len(os.listdir("/proc/self/task")))
print("tasks in the child:", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
stop.set()
END
python3 program.py
python3 - <<'END' || echo "status $?"
import os, threading, time
threading.Thread(target=lambda: os._exit(5)).start()
while True: time.sleep(1)
END
