"""Settings of all tests, made before anything imports torch."""

import os

# the tests run in parallel, one thread each: two threads on one core wait for each other
os.environ["OMP_NUM_THREADS"] = "1"
