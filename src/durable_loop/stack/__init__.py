"""The embedded stack: a Temporal dev server, the workers and the MCP servers, started and watched for you.

One supervisor process a data folder. Clients hold a lease on it (a loopback connection, which the
kernel closes however they die); when the last one is gone it ends everything, itself included.
"""
