"""Planning in a process of its own: what goes there, what comes back, and what if it does not.

    wire      values of the core as bytes
    showing   a snapshot, told by what changed since the last one
    columns   a plan as columns of numbers
    frames    bytes with a length before them, on a pipe
    messages  what the two sides say to each other
    worker    the process that plans
    process   the operator's end of it
    guard     deadline, restart and backoff: there is always an answer in time
    kernels   where compiled code is kept, and how it gets there

The operator's event loop hands a snapshot over and goes on: telemetry is read and pods are drained
while it is planned. Nothing here decides anything; the core does, and the cycle.
"""
