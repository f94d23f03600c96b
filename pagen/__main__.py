"""`python -m pagen`."""

from pagen.cli import main

main()
