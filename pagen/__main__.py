"""`pagen`, and `python -m pagen`: until anything is begun, Ctrl-C ends the process as silently as SIGTERM does."""

from __future__ import annotations

import signal


def start() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pagen.cli import main  # what it imports takes a while, in which Python would answer by a traceback

    main()


if __name__ == "__main__":
    start()
