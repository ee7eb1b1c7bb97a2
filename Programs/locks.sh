# Locks and leases between processes: flock(1), lock files, fcntl from perl, atomic rename and link.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD TMPDIR=$PWD
command -v flock > /dev/null || { echo "SKIP: flock is not installed"; exit 0; }

echo 0 > counter
for ((i = 0; i < 8; i++)); do
  for ((n = 0; n < 15; n++)); do
    flock lock sh -c 'read value < counter; echo $((value + 1)) > counter'
  done &
done
wait; cat counter
exec 9> held; flock 9; flock -n held true || echo "held: $?"
flock -w 0.1 held true || echo "waited: $?"
flock -u 9; flock -n held echo "free again"; flock 9; (flock -n 9 && echo "a child shares the lock")
exec 9>&-; flock -n held echo "closed means free"
flock -s held sh -c 'flock -sn held echo "shared twice"; flock -xn held true || echo "status $?"'
mkfifo go; (flock held sh -c ': > locked; read line < go') & holder=$!
until [ -e locked ]; do sleep 0.01; done; flock -n held true || echo "held by a child"
flock held echo "after the child" & waiter=$!; echo > go; wait "$holder" "$waiter"

if command -v perl > /dev/null; then
  perl -MFcntl=:DEFAULT,:flock,:seek -e '
    open my $file, "+>", "ranges"; print $file "x" x 100; $| = 1;
    sub lock_range { my ($type, $start, $length, $wait) = @_;
      my $request = pack "s s x4 q q i x4", $type, SEEK_SET, $start, $length, 0;
      fcntl $file, $wait ? F_SETLKW : F_SETLK, $request }
    sub refused { my @range = @_; my $pid = fork; exit !lock_range(@range) unless $pid;
      waitpid $pid, 0; $? >> 8 }
    lock_range(F_WRLCK, 10, 10) or die $!;
    print "overlapping: ", refused(F_WRLCK, 15, 10), " beside: ", refused(F_WRLCK, 20, 10), "\n";
    lock_range(F_UNLCK, 12, 2) or die $!;
    print "hole: ", refused(F_WRLCK, 12, 2), " rest: ", refused(F_RDLCK, 14, 1), "\n";
    pipe my $reading, my $writing; my $pid = fork;
    if (!$pid) { syswrite $writing, "asking"; lock_range(F_WRLCK, 0, 100, 1) or die $!; exit 7 }
    sysread $reading, my $word, 100; lock_range(F_UNLCK, 0, 0); waitpid $pid, 0;
    print "$word ", $? >> 8, "\n";
    open my $other, "<", "ranges"; lock_range(F_WRLCK, 0, 1); close $other;
    print "closing any descriptor drops them: ", refused(F_WRLCK, 0, 1), "\n"'
fi

# at_once NUMBER COMMAND: runs it so many times in parallel, with the number of the run as $i.
at_once() {
  for ((i = 0; i < $1; i++)); do (eval "$2") & done
  wait
}
at_once 20 'ln counter only 2> /dev/null && echo won >> winners'; wc -l < winners
at_once 20 'mkdir once 2> /dev/null && echo made >> made'; wc -l < made
at_once 20 'seq 1 1000 > "new.$i"; mv "new.$i" current'; wc -l < current
ls new.* 2> /dev/null | wc -l
at_once 10 'for ((n = 0; n < 100; n++)); do echo "line of writer $i" >> appended; done'
sort appended | uniq -c | awk '{ print $1 }' | sort -u; wc -l < appended
