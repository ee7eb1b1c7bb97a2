# Job control of bash without a terminal: background jobs, stop, continue, wait.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

echo "== wait"
for status in 0 1 7; do (exit "$status") & wait $!; echo "waited for $?"; done
for number in 1 2 3 4 5 6 7 8; do (echo "$number" > "job.$number") & done
wait; cat job.*
sleep 60 & kill $!; wait $!; echo "terminated: $?"
jobs > /dev/null; (exit 5) & wait -n; echo "wait -n gave $?"
wait 1 2> /dev/null; echo "not a child: $?"

echo "== process groups"
jobs > /dev/null; set -m
group_of() { cut -d' ' -f5 "/proc/$1/stat"; }
sleep 60 & [ "$(group_of $!)" = "$!" ] && echo "a job leads its own group"
own=$(group_of $$); [ "$own" != "$(group_of $!)" ] && echo "another than the shell's"
kill -- -$!; wait $! 2> /dev/null; echo "group killed: $?"

echo "== stop and continue"
state_of() { cut -d' ' -f3 "/proc/$1/stat"; }
jobs > /dev/null; sleep 60 &
child=$!
kill -STOP %1; wait %1; echo "stopped: $?"
jobs -s | tr -s ' '
state_of "$child"
kill -CONT %1
until [ "$(state_of "$child")" = S ]; do sleep 0.01; done
jobs -r | tr -s ' ' | sed 's/ &$//'
kill %1; wait %1 2> /dev/null; echo "killed: $?"

echo "== fg"
mkfifo gate
bash -c 'read -r line < gate; echo "got $line"; exit 9' &
sender() { echo "a line" > gate; }
sender &
fg %1 > /dev/null; echo "fg gave $?"
wait; jobs > /dev/null
sleep 60 & disown; jobs; kill $!; echo "disowned: nothing to list"

echo "== coproc and named pipes"
coproc DOUBLER { while read -r number; do echo $((number * 2)); done; }
for number in 4 21; do echo "$number" >&"${DOUBLER[1]}"; read -r answer <&"${DOUBLER[0]}"
echo "$answer"; done
eval "exec ${DOUBLER[1]}>&-"; wait "$DOUBLER_PID"; echo "coproc ended: $?"

echo "== sessions"
setsid -w bash -c '[ "$(cut -d" " -f6 /proc/$$/stat)" = $$ ] && echo "setsid leads a session"'
nohup sh -c 'kill -HUP $$; echo "survived HUP"' 2> /dev/null | cat
