"""gearshift-trace: one request, as it is seen from the kernel's side, in two engines or more.

One module a concern. arguments reads the command line; setting starts the server and asks; ftrace
and strace record, each in the form of events; sequence makes rows of a diagram of them; terminal,
drawing and page draw the rows. Processes are started by gearshift_compare, which lies beside this.
bench/trace calls main.
"""
