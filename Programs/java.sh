# Java: the virtual machine starts, compiles, collects garbage, runs threads and processes.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD
unset JAVA_TOOL_OPTIONS
command -v java > /dev/null || { echo "SKIP: java is not installed"; exit 0; }
java -version 2> version || { echo "SKIP: java does not start: $(head -n 1 version)"; exit 0; }
grep -c version version

cat > Program.java <<'END'
import java.io.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

public class Program {
    public static void main(String[] words) throws Exception {
        System.out.println(IntStream.rangeClosed(1, 1_000_000).asLongStream().parallel().sum());
        ExecutorService pool = Executors.newFixedThreadPool(8);
        AtomicLong total = new AtomicLong();
        List<Future<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int n = i;
            tasks.add(pool.submit(() -> total.addAndGet(n)));
        }
        for (Future<?> task : tasks) task.get();
        pool.shutdown();
        System.out.println(total.get() + " " + pool.awaitTermination(60, TimeUnit.SECONDS));
        long kept = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] block = new byte[200_000];
            block[i] = 1;
            kept += block[i];
        }
        System.gc();
        System.out.println(kept);
        try {
            Object nothing = null;
            nothing.toString();
        } catch (NullPointerException e) {
            System.out.println("null");
        }
        try { recurse(0); } catch (StackOverflowError e) { System.out.println("overflow"); }
        Path file = Paths.get("file");
        Files.write(file, Collections.nCopies(10_000, "a line"));
        try (FileChannel channel = FileChannel.open(file)) {
            var view = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            System.out.println(view.get(69_999));
        }
        Process child = new ProcessBuilder("sh", "-c", "cat; exit 3").start();
        try (Writer writer = new OutputStreamWriter(child.getOutputStream())) {
            writer.write("through a child\n");
        }
        BufferedReader answer = new BufferedReader(new InputStreamReader(child.getInputStream()));
        System.out.println(answer.readLine() + " " + child.waitFor());
        Object lock = new Object(); boolean[] done = {false};
        Thread waiter = new Thread(() -> {
            synchronized (lock) { done[0] = true; lock.notifyAll(); }
        });
        synchronized (lock) { waiter.start(); while (!done[0]) lock.wait(); }
        waiter.join();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("shutting down")));
        System.exit(5);
    }
    static int recurse(int depth) { return recurse(depth + 1) + 1; }
}
END
if command -v javac > /dev/null; then
  javac Program.java; java -Xmx200m Program || echo "status $?"
  java -Xint -XX:+UseSerialGC -Xmx100m Program | tail -n 1
  cat > Sleeper.java <<'END'
public class Sleeper {
    public static void main(String[] words) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        System.out.println("up");
        new java.util.concurrent.CountDownLatch(1).await();
    }
}
END
  javac Sleeper.java
  mkfifo said
  java Sleeper > said & child=$!
  { read -r word; echo "$word"; kill "$child"; cat; } < said
  wait "$child" || echo "status $?"
fi
