# Perl: text, regular expressions, files, fork and pipes, signals, sockets, select.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD PERL_HASH_SEED=0
command -v perl > /dev/null || { echo "SKIP: perl is not installed"; exit 0; }

perl -e 'print "hello\n"'
seq 1 1000 | perl -ne '$sum += $_; END { print "$sum\n" }'
seq 1 5 > numbers; perl -pi.bak -e 's/(\d)/<$1>/' numbers; paste -d' ' numbers numbers.bak
perl -e 'exit 9' || echo "status $?"
perl -e 'kill "TERM", $$' || echo "status $?"
perl -MDigest::SHA=sha256_hex -e 'print sha256_hex(join ",", 1 .. 100000), "\n"'
perl -MList::Util=sum,max -e 'print sum(1 .. 10), " ", max(3, 9, 4), "\n"'

cat > program.pl <<'END'
use strict; use warnings;
use Fcntl qw(:flock SEEK_SET); use File::Find; use File::Path qw(make_path remove_tree);
use IO::Handle; use IO::Select; use IPC::Open3; use POSIX qw(:sys_wait_h); use Socket; use Storable;
use Time::HiRes;
$| = 1;

print "== text\n";
my %count; $count{$_}++ for map { lc } "The cat and the hat and the bat" =~ /\w+/g;
my @words = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print join(" ", map { "$_=$count{$_}" } @words), "\n";
printf "%05.2f %x %e %s\n", 3.14159, 255, 12345.678, join ",", unpack "(A2)*", "aabbcc";
my $text = "xxyz" x 50_000; $text =~ s/(x+)y(?=z)/length $1/ge; print $text =~ tr/2//, "\n";

print "== files\n";
make_path "tree/a/b", "tree/c";
for my $name (qw(one a/two a/b/three c/four)) {
  open my $file, ">", "tree/$name" or die $!; print $file "$name\n" x 100; close $file;
}
my $bytes = 0; my @found; find sub { push @found, $File::Find::name; $bytes += -s if -f }, "tree";
print join(" ", sort @found), " $bytes\n";
open my $file, "+<", "tree/one" or die $!; flock $file, LOCK_EX or die $!;
seek $file, 4, SEEK_SET; read $file, my $piece, 4; print $piece; close $file;
opendir my $directory, "tree" or die $!;
print join(" ", sort grep { !/^\./ } readdir $directory), "\n";
print -e "absent" ? "there" : "absent: $!", "\n"; remove_tree "tree"; print -e "tree" ? 1 : 0, "\n";
store { list => [1 .. 5] }, "stored"; print "@{ retrieve('stored')->{list} }\n";

print "== processes\n";
print "from a shell: ", `echo backticks; exit 2`, $? >> 8, "\n";
my @children = map { my $n = $_; my $pid = fork // die; exit $n unless $pid; $pid } 1 .. 10;
print join(" ", map { waitpid $_, 0; $? >> 8 } @children), "\n";
pipe my $reading, my $writing;
if (!fork) { close $reading; print $writing "line $_\n" for 1 .. 20_000; exit }
close $writing; my $lines = 0; $lines++ while <$reading>; wait; print "$lines lines\n";
open my $sorted, "|-", "sort -n | tail -n 1" or die $!; print $sorted "$_\n" for 1 .. 3000;
close $sorted;
my $pid = open3(my $in, my $out, my $err = IO::Handle->new, "sh", "-c", "cat; echo error >&2");
print $in "through open3\n"; close $in; print <$out>, <$err>; waitpid $pid, 0;
if (!fork) { exec "no-such-program" or exit 44 } wait; print "exec failed: ", $? >> 8, "\n";

print "== signals\n";
my $caught = 0; $SIG{USR1} = sub { $caught++ };
kill "USR1", $$ for 1 .. 100; print "$caught\n";
eval { local $SIG{ALRM} = sub { die "alarm\n" }; Time::HiRes::ualarm(20_000); sleep 60 }; print $@;
my $ended = 0; $SIG{CHLD} = sub { while (waitpid(-1, WNOHANG) > 0) { $ended++ } };
for (1 .. 20) { exit 0 unless fork } select undef, undef, undef, 0.01 while $ended < 20;
print "$ended\n";
$SIG{CHLD} = "DEFAULT";

print "== sockets and select\n";
socketpair my $left, my $right, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die $!;
$_->autoflush for $left, $right;
if (!fork) { close $left; while (<$right>) { print $right scalar reverse } exit }
close $right;
for my $word (qw(parrot vane)) {
  print $left "$word\n"; IO::Select->new($left)->can_read;
  sysread $left, my $answer, 100; print $answer =~ s/\n//r, "\n";
}
close $left; wait; print "ended with $?\n";
END
perl program.pl
