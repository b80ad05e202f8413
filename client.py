from durable_loop.cli import main
