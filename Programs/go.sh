# Go: the tool chain builds, the program runs goroutines, timers, os/exec, files and unix sockets.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
export GOCACHE=$PWD/cache GOPATH=$PWD/path GO111MODULE=off GOFLAGS= GOTOOLCHAIN=local
command -v go > /dev/null || { echo "SKIP: go is not installed"; exit 0; }

cat > program.go <<'END'
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func goroutines() {
	work, results := make(chan int), make(chan int)
	var group sync.WaitGroup
	for worker := 0; worker < 50; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for number := range work {
				results <- number * number
			}
		}()
	}
	go func() {
		for number := 0; number < 20000; number++ {
			work <- number
		}
		close(work)
		group.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	var counter int64
	var many sync.WaitGroup
	for i := 0; i < 10000; i++ {
		many.Add(1)
		go func() { atomic.AddInt64(&counter, 1); runtime.Gosched(); many.Done() }()
	}
	many.Wait()
	fmt.Println("goroutines", sum, counter)
}

func preemption() {
	var stop int32
	go func() {
		for n := 0; atomic.LoadInt32(&stop) == 0; n++ {
		}
	}()
	for i := 0; i < 3; i++ {
		runtime.Gosched()
	}
	atomic.StoreInt32(&stop, 1)
	fmt.Println("a busy loop is preempted")
}

func memory() {
	var keep [][]byte
	for i := 0; i < 2000; i++ {
		block := make([]byte, 100000)
		block[i] = byte(i)
		if i%100 == 0 {
			keep = append(keep, block)
		}
	}
	runtime.GC()
	fmt.Println("memory", len(keep), keep[19][1900])
	defer func() { fmt.Println("recovered:", recover()) }()
	var pointer *int
	fmt.Println(*pointer)
}

func timers() {
	context, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	ticker, ticks := time.NewTicker(time.Millisecond), 0
	for context.Err() == nil {
		select {
		case <-ticker.C:
			ticks++
		case <-context.Done():
		}
	}
	fmt.Println("timers", ticks > 0, context.Err())
}

func commands() {
	output, err := exec.Command("sh", "-c", "echo from a child; exit 3").Output()
	var status *exec.ExitError
	fmt.Printf("%q %v %v\n", output, err, errors.As(err, &status))
	filter := exec.Command("sort", "-n")
	filter.Stdin = strings.NewReader("3\n1\n2\n")
	output, err = filter.CombinedOutput()
	fmt.Printf("%q %v\n", output, err)
	_, err = exec.LookPath("no-such-program")
	fmt.Println(err)
	context, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	fmt.Println(exec.CommandContext(context, "sleep", "60").Run())
	var group sync.WaitGroup
	lines := make([]string, 20)
	for i := range lines {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			output, err := exec.Command("echo", fmt.Sprint("child ", i)).Output()
			check(err)
			lines[i] = string(output)
		}(i)
	}
	group.Wait()
	fmt.Print(lines[0], lines[19])
	copying := exec.Command("cat")
	in, _ := copying.StdinPipe()
	out, _ := copying.StdoutPipe()
	check(copying.Start())
	go func() { io.WriteString(in, strings.Repeat("x", 1000000)); in.Close() }()
	data, _ := io.ReadAll(out)
	fmt.Println(len(data), copying.Wait())
}

func files() {
	check(os.MkdirAll("tree/a/b", 0o755))
	for i := 0; i < 100; i++ {
		check(os.WriteFile(fmt.Sprintf("tree/a/f%03d", i), make([]byte, i), 0o600))
	}
	entries, err := os.ReadDir("tree/a")
	check(err)
	fmt.Println(len(entries), entries[0].Name(), entries[100].Name())
	check(os.Rename("tree/a/f001", "tree/moved"))
	_, err = os.Stat("tree/a/f001")
	fmt.Println(err, errors.Is(err, os.ErrNotExist))
	check(os.RemoveAll("tree"))
}

func sockets() {
	listener, err := net.Listen("unix", "socket")
	check(err)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				for scanner := bufio.NewScanner(connection); scanner.Scan(); {
					fmt.Fprintln(connection, strings.ToUpper(scanner.Text()))
				}
				connection.Close()
			}()
		}
	}()
	var group sync.WaitGroup
	var answers sync.Map
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			connection, err := net.Dial("unix", "socket")
			check(err)
			fmt.Fprintf(connection, "client %d\n", i)
			line, err := bufio.NewReader(connection).ReadString('\n')
			check(err)
			answers.Store(line, true)
			connection.Close()
		}(i)
	}
	group.Wait()
	var lines []string
	answers.Range(func(line, _ any) bool { lines = append(lines, line.(string)); return true })
	sort.Strings(lines)
	fmt.Print(len(lines), " ", lines[0])
	connection, err := net.Dial("unix", "socket")
	check(err)
	connection.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err = connection.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	listener.Close()
}

func signals() {
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGUSR1)
	for i := 0; i < 100; i++ {
		check(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		<-received
	}
	fmt.Println("100 signals")
}

func main() {
	goroutines()
	preemption()
	memory()
	timers()
	commands()
	files()
	sockets()
	signals()
	os.Exit(6)
}
END
go version | cut -d' ' -f1,2
go build -o program program.go
mkdir work; cd work
../program || echo "status $?"
GOMAXPROCS=1 ../program | tail -n 1
GOMAXPROCS=8 GOGC=10 ../program | sha256sum
go fmt ../program.go; go run ../program.go 2>&1 | tail -n 1
