import random

import numba


@numba.njit(parallel=True, cache=True)
def hits(samples):
    inside = 0
    for _ in numba.prange(samples):
        x = random.random()
        y = random.random()
        if x * x + y * y < 1.0:
            inside += 1
    return inside


numba.set_num_threads(THREADS)
# Compiles, or loads what was compiled in the round before; not timed.
hits(1000)
duration, inside = best(lambda: hits(SIZE))
emit("pi", "numba", duration, 4.0 * inside / SIZE)
