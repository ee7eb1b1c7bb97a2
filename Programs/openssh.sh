# OpenSSH: sshd(8) with a key, a command, a session with a terminal, forwarding, sftp(1) and scp(1).
# timeout: 90
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD
for tool in sshd ssh sftp ssh-keygen; do
  command -v $tool > /dev/null || { echo "SKIP: $tool is not installed"; exit 0; }
done

free_port() {
  /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); \
print(s.getsockname()[1])'
}
port=$(free_port)
ssh-keygen -q -t ed25519 -N "" -f host_key
ssh-keygen -q -t ed25519 -N "" -f key
ssh-keygen -q -t ecdsa -N "" -f other_key
cp key.pub authorized
mkdir -p /run/sshd
cat > sshd_config <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $PWD/host_key
PidFile $PWD/pid
AuthorizedKeysFile $PWD/authorized
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
CONFIG
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 host_key.pub)" > known
cat > ssh_config <<CONFIG
Host server
  HostName 127.0.0.1
  Port $port
  User root
  IdentityFile $PWD/key
  IdentitiesOnly yes
  UserKnownHostsFile $PWD/known
  StrictHostKeyChecking yes
  BatchMode yes
  LogLevel ERROR
CONFIG
/usr/sbin/sshd -D -e -f sshd_config 2> sshd.log &
server=$!
remote() { ssh -F ssh_config "$@"; }
until remote server true 2> /dev/null; do kill -0 $server; done

remote server 'echo "$((6 * 7))"; id -un; exit 3' || echo "status $?"
echo "by standard input" | remote server 'tr a-z A-Z'
head -c 3000000 /dev/urandom > large
remote server 'cat' < large | cmp - large && echo "there and back"
remote -tt server 'stty size > /dev/null && tty | cut -d/ -f1-3; exit 4' < /dev/null |
  tr -d '\r' || true
remote server 'kill -TERM $$' || echo "status $?"
# A key on the command line would only be tried before the configured one.
sed "s,IdentityFile .*,IdentityFile $PWD/other_key," ssh_config > other_config
ssh -F other_config server true 2>&1 | grep -o 'Permission denied'
echo "== sftp"
mkdir place
sftp -q -F ssh_config -b - server > sftp.log <<COMMANDS
cd $PWD/place
put $PWD/large copy
rename copy moved
chmod 640 moved
symlink moved link
mkdir deep
get moved $PWD/got
rm link
rmdir deep
ls -1
COMMANDS
grep -v '^sftp>' sftp.log
cmp large got && stat -c '%a %s' place/moved
scp -q -F ssh_config large "server:$PWD/place/second" && cmp large place/second && echo "scp"
echo "== forwarding"
forward=$(free_port)
remote -N -L "$forward:127.0.0.1:$port" server &
tunnel=$!
until ssh-keyscan -t ed25519 -p "$forward" 127.0.0.1 2> /dev/null | grep -q ed25519; do
  kill -0 $tunnel
done
ssh-keyscan -t ed25519 -p "$forward" 127.0.0.1 2> /dev/null | cut -d' ' -f2,3 |
  cmp - <(cut -d' ' -f1,2 host_key.pub) && echo "the same server"
kill $tunnel
for i in 1 2 3 4 5 6; do remote server "echo session $i" & done | sort
kill "$(cat pid)"
wait $server || echo "the server ended with $?"
