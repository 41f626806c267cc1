"""Settings of all tests, made before anything imports torch."""

import os
import signal

# the tests run in parallel, one thread each: two threads on one core wait for each other
os.environ["OMP_NUM_THREADS"] = "1"

# what is started in the background of a shell ignores SIGINT, and so does all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)
