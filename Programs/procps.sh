# What a person looks at first: ps, top, free, id, uname, mount, df, /proc, /dev, limits.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD

# says PATTERN COMMAND...: whether the output of the command matches.
says() {
  local pattern=$1; shift
  if "$@" 2> /dev/null | grep -qE -- "$pattern"; then echo "${*//[0-9]/}: as expected"
  else echo "$*: no '$pattern'"; fi
}

id -un; id -u; id -g; whoami; uname -s; uname -m; uname -o; arch; getconf PAGESIZE; getconf CLK_TCK
getconf LONG_BIT
says '^[0-9]+$' nproc; says '^[^ ]+$' hostname; says '[0-9]+\.[0-9]+' uname -r; says load uptime
says '^20[0-9]{2}' date +%Y
says '^Mem: +[0-9]+' free; says '^MemTotal: +[0-9]+ kB' cat /proc/meminfo
says '^processor' cat /proc/cpuinfo
says '^cpu0 ' cat /proc/stat; says '^Linux version' cat /proc/version; says ' / ' cat /proc/mounts
says ' /$' df /
says ' on /proc type proc' mount; says tmpfs cat /proc/filesystems
says '^[0-9.]+ [0-9.]+$' cat /proc/uptime

if command -v ps > /dev/null; then
  echo "== ps"
  sleep 60 & child=$!
  ps -o comm= -p $$; ps -o ppid= -p "$child" | grep -qw $$ && echo "a child of the shell"
  until [ "$(ps -o comm=,state= -p "$child" | tr -s ' ')" = "sleep S" ]; do :; done
  ps -o args= -p "$child"; ps -o user= -p "$child"
  [ "$(ps -e -o pid= | grep -cw "$child")" = 1 ] && echo "in the list"
  ps -C sleep -o comm= | sort -u
  says "bash" ps aux; says 'PID' top -bn1; pgrep -P $$ -x sleep | grep -cw "$child"
  kill "$child"; wait "$child" || echo "ended: $?"; ps -o args= -p "$child" || echo "gone: $?"
fi

echo "== /proc of a process"
sleep 60 < /dev/null > out 2> err & child=$!
until [ "$(cat /proc/$child/comm)" = sleep ]; do :; done
tr '\0' ' ' < /proc/$child/cmdline; echo; basename "$(readlink /proc/$child/exe)"
readlink /proc/$child/fd/0
basename "$(readlink /proc/$child/fd/1)"
[ "$(readlink /proc/$child/cwd)" = "$PWD" ] && echo "same directory"
readlink /proc/$child/root; grep -E '^(Name|Threads|Uid|SigBlk):' /proc/$child/status | tr '\t' ' '
says 'r-xp .*/sleep$' cat /proc/$child/maps; says '\[stack\]' cat /proc/$child/maps
says '\[vdso\]' cat /proc/$child/maps
tr '\0' '\n' < /proc/$child/environ | grep '^LC_ALL='; says 'Max open files' cat /proc/$child/limits
kill $child; wait $child || true; [ ! -e /proc/$child ] && echo "gone"
[ "$(readlink /proc/self)" != $$ ] && [ -e /proc/self/stat ] && [ -e /proc/thread-self ] &&
  echo "self"
says '^[0-9]+$' cat /proc/sys/kernel/pid_max
says '^[0-9a-f-]{36}$' cat /proc/sys/kernel/random/uuid

echo "== /dev"
for name in null zero full random urandom tty; do stat -c '%n %F %t:%T' /dev/$name; done
readlink /dev/fd /dev/stdin; [ -d /dev/pts ] && [ -d /dev/shm ] && echo "directories"
echo x > /dev/shm/x.$$ && rm /dev/shm/x.$$

echo "== limits and identities"
ulimit -n 100; ulimit -n
(ulimit -f 1; head -c 100000 /dev/zero > big) 2> /dev/null || echo "too big: $?"
umask 077; : > private; stat -c %a private; nice -n 5 nice
timeout 60 bash -c 'ulimit -t 1; while :; do :; done' || echo "out of time: $?"
if [ "$(id -u)" = 0 ]; then
  chmod 755 .; chown 1234:4321 private; stat -c '%u:%g' private
  setpriv --reuid 1234 --regid 4321 --clear-groups id -u
  setpriv --reuid 1234 --clear-groups bash -c 'ulimit -n 200' 2> /dev/null || echo "not more"
  setpriv --reuid 65534 --clear-groups cat private 2>&1 || true
  setpriv --reuid 65534 --clear-groups sh -c 'kill -0 $PPID' 2> /dev/null ||
    echo "no right to signal"
fi
env -i A=1 env; printf '%s\n' "${BASH_VERSION%%.*}" | grep -qx '[5-9]' && echo "a new bash"
