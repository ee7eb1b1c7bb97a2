# Node.js: event loop, child_process, workers, streams, file system, timers, unix sockets.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD NODE_NO_WARNINGS=1
command -v node > /dev/null || { echo "SKIP: node is not installed"; exit 0; }

node -e 'console.log("hello", 6 * 7)'
echo 'console.log("from standard input")' | node
node -e 'process.exit(9)' || echo "status $?"
node -e 'throw new Error("thrown")' 2> /dev/null || echo "status $?"
node -e 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)' || echo "status $?"

cat > program.js <<'END'
const { exec, execFile, execSync, fork, spawn, spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const net = require("node:net");
const { once } = require("node:events");
const { pipeline } = require("node:stream/promises");
const { promisify } = require("node:util");
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");
const zlib = require("node:zlib");

if (!isMainThread) {
  let sum = 0;
  for (let n = 0; n < workerData.count; n++) sum += n;
  Atomics.add(new Int32Array(workerData.shared), 0, 1);
  parentPort.postMessage(sum);
} else if (process.argv[2] === "child") {
  process.on("message", (message) => {
    process.send({ answer: message.question * 2 });
    if (message.question === 50) process.disconnect();
  });
} else {
  main();
}

function numbers(count) {
  return [...Array(count).keys()];
}

async function children() {
  console.log(execSync("echo from a shell | tr a-z A-Z").toString().trim());
  const failed = spawnSync("sh", ["-c", "echo out; echo err >&2; exit 3"]);
  console.log(failed.status, `${failed.stdout}`.trim(), `${failed.stderr}`.trim());
  console.log(spawnSync("no-such-program").error.code);
  console.log(spawnSync("sleep", ["60"], { timeout: 50 }).signal);
  const { stdout } = await promisify(exec)("seq 1 50000 | wc -l");
  console.log(stdout.trim());
  const cat = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  cat.stdin.end("x".repeat(2_000_000));
  let length = 0;
  for await (const piece of cat.stdout) length += piece.length;
  console.log(length);
  const lines = await Promise.all(numbers(20).map((n) => promisify(execFile)("echo", [`${n}`])));
  console.log(lines.map((line) => line.stdout.trim()).join(" "));
  const child = fork(__filename, ["child"]);
  let sum = 0;
  child.on("message", ({ answer }) => { sum += answer; });
  for (let question = 1; question <= 50; question++) child.send({ question });
  const [code] = await once(child, "exit");
  console.log(code, sum);
  const sleeper = spawn("sleep", ["60"]);
  sleeper.kill("SIGKILL");
  console.log((await once(sleeper, "exit"))[1]);
}

async function workers() {
  const shared = new SharedArrayBuffer(4);
  const sums = await Promise.all([1e5, 2e5, 3e5, 4e5].map((count) =>
    once(new Worker(__filename, { workerData: { count, shared } }), "message")));
  console.log(sums.flat().join(" "), new Int32Array(shared)[0]);
}

async function files() {
  await fs.promises.mkdir("tree/deep", { recursive: true });
  const write = (n) => fs.promises.writeFile(`tree/f${n}`, `${n}`.repeat(n));
  await Promise.all(numbers(200).map(write));
  const names = await fs.promises.readdir("tree");
  const states = await Promise.all(names.map((name) => fs.promises.stat(`tree/${name}`)));
  console.log(names.length, states.filter((state) => state.isFile()).length);
  await fs.promises.writeFile("large", "parrot\n".repeat(300_000));
  await pipeline(fs.createReadStream("large"), zlib.createGzip(), fs.createWriteStream("large.gz"));
  const hash = createHash("sha256");
  await pipeline(fs.createReadStream("large.gz"), zlib.createGunzip(), hash);
  console.log(hash.digest("hex").slice(0, 16));
  try { fs.readFileSync("absent"); } catch (error) { console.log(error.code); }
  fs.rmSync("tree", { recursive: true }); console.log(fs.existsSync("tree"));
  const file = await fs.promises.open("large", "r+");
  await file.write("vane", 0); await file.sync();
  console.log((await file.read(Buffer.alloc(6), 0, 6, 0)).buffer.toString()); await file.close();
}

async function sockets() {
  const server = net.createServer((socket) => socket.pipe(socket));
  server.listen("socket"); await once(server, "listening");
  const echoes = await Promise.all(numbers(50).map(async (n) => {
    const socket = net.connect("socket");
    socket.end(`${n}`.repeat(1000));
    let text = "";
    for await (const piece of socket) text += piece;
    return text.length;
  }));
  console.log(echoes.reduce((a, b) => a + b)); server.close(); await once(server, "close");
}

async function timersAndSignals() {
  const order = [];
  setTimeout(() => order.push("timeout"), 30);
  setImmediate(() => order.push("immediate"));
  process.nextTick(() => order.push("tick"));
  Promise.resolve().then(() => order.push("promise"));
  await new Promise((resolve) => setTimeout(resolve, 60));
  console.log(order.join(" "));
  const alive = setInterval(() => {}, 1000); // A signal's listener does not keep the loop running.
  const signal = once(process, "SIGUSR2");
  process.kill(process.pid, "SIGUSR2");
  console.log(...await signal); clearInterval(alive);
}

async function main() {
  for (const part of [children, workers, files, sockets, timersAndSignals]) {
    console.log(`== ${part.name}`);
    await part();
  }
  process.exitCode = 4;
}
END
node program.js || echo "status $?"
