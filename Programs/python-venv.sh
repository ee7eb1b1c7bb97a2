# A virtual environment, byte code, a zip application, unit tests and the debugger of Python.
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$PWD TMPDIR=$PWD
unset PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED
command -v python3 > /dev/null || { echo "SKIP: python3 is not installed"; exit 0; }

python3 -m venv --without-pip environment
environment/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'
(. environment/bin/activate; command -v python | sed "s#$PWD#here#"; python -c 'print("activated")')
mkdir -p package; echo 'VALUE = 6 * 7' > package/__init__.py
printf 'import package\nprint("from the application", package.VALUE)\n' > package/__main__.py
python3 -m package; ls package/__pycache__ | grep -c pyc
python3 -m compileall -q package && echo "compiled"
mkdir app; cp -r package app/; cp package/__main__.py app/
python3 -m zipapp app -p /usr/bin/python3 -o app.pyz; ./app.pyz
cat > test_sums.py <<'END'
import unittest
class Sums(unittest.TestCase):
    def test_good(self): self.assertEqual(1 + 1, 2)
    def test_bad(self): self.assertEqual(1 + 1, 3)
END
python3 -m unittest test_sums 2> result || echo "status $?"; tail -n 1 result
printf 'b 2\nc\np value\nq\n' | python3 -m pdb <(printf 'value = 1\nvalue += 41\nvalue\n') 2>&1 |
  grep -c '(Pdb)' | sed 's/[0-9]*/debugged/'
python3 -X importtime -c 'import json' 2>&1 | grep -c json.decoder
python3 -m cProfile -s name <(echo 'sum(range(10))') | grep -c 'built-in method builtins.sum'
(ulimit -c 0; python3 -c 'import faulthandler, os; faulthandler.enable(); os.abort()') 2> dump ||
  echo "status $?"; head -n 1 dump
python3 -m this | sha256sum; python3 -m base64 -e < package/__init__.py
python3 -m tarfile -c p.tar package && python3 -m tarfile -l p.tar | sort | head -n 1
