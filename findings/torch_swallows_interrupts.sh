#!/usr/bin/env bash
# Ctrl-C while torch imports NumPy is lost, and the program goes on with half of NumPy.
#
# What was seen (torch 2.13.0, numpy 2.4.6, Python 3.11):
# - `import torch` imports NumPy from its C++ side and takes whatever is raised there for "there is no NumPy", a
#   KeyboardInterrupt, and what a handler of SIGTERM raises, too. The import of torch ends well, the request is forgotten:
#   a training that a scheduler or a person ended in its first second is not ended.
# - NumPy's package is then there without some of its modules. Later, far from the cause, `numpy.dtypes` imports itself
#   in a circle and ends in a RecursionError.
# - A handler that looks whether a frame of `<frozen importlib` is on the stack, and waits for the import, loses nothing.
set -euo pipefail
PYTHON=${PYTHON:-python3}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0 numpy==2.4.6
cat > "$work/interrupted.py" <<'PY'
import builtins
import os
import signal
import sys

signal.signal(signal.SIGINT, signal.default_int_handler)
from_outside = builtins.__import__


def interrupted(name, *rest, **named):
    if name == "numpy._core":  # the first of what NumPy imports
        builtins.__import__ = from_outside
        os.kill(os.getpid(), signal.SIGINT)
    return from_outside(name, *rest, **named)


builtins.__import__ = interrupted
__import__(sys.argv[1])
print(sys.argv[1], "is imported")
import numpy

try:
    print(numpy.dtypes)
except RecursionError:
    print("numpy.dtypes: RecursionError")
PY
expected="torch is imported
numpy.dtypes: RecursionError"
found=$("$work/env/bin/python" -W ignore "$work/interrupted.py" torch 2> "$work/log") || { cat "$work/log"; exit 1; }
[ "$found" = "$expected" ] || { echo "expected:"; echo "$expected"; echo "found:"; echo "$found"; exit 1; }
if "$work/env/bin/python" -W ignore "$work/interrupted.py" numpy 2> "$work/log"; then
    echo "expected NumPy alone to let the interrupt through"; exit 1
fi
grep -q KeyboardInterrupt "$work/log"
echo "as described"
