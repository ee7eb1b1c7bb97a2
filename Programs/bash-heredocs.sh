# Here-documents and here-strings of bash: small ones in a pipe, large ones in a deleted file.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=$PWD

name=world
cat <<END
hello $name, $((6 * 7)), $(echo from a command)
END
cat <<'END'
hello $name, $((6 * 7)), `literal`
END
cat <<-END
	tabs are stripped
		from each line
	END
tr a-z A-Z <<< "here $name"
wc -c <<< ""

echo "== two at once"
paste -d: - /dev/fd/3 <<FIRST 3<<SECOND
a
b
FIRST
1
2
SECOND

echo "== larger than a pipe"
large=$(seq 1 40000)
sha256sum <<END
$large
END
wc -lc <<< "$large" | tr -s ' '

echo "== in a function, a loop and a subshell"
greet() {
  cat
} <<END
bound to the function
END
greet; greet
while read -r key value; do
  echo "$key=$value"
done <<END
one 1
two 2
END
(cat; echo "after") <<END
in a subshell
END
bash -s -- first "second word" <<'END'
echo "a script on standard input with $# arguments: $2"
END
