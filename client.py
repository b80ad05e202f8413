"""The terminal chat: `uv run client.py` is `durable-loop chat`."""

import sys

from durable_loop.cli import main

if __name__ == "__main__":
    main(["chat", *sys.argv[1:]])
