import math

import numba
import numpy as np


@numba.njit(parallel=True, cache=True)
def fill(size):
    a = np.empty(size)
    for i in numba.prange(size):
        a[i] = (i + 1) * (100.0 / size)
    return a


# With fastmath=True it takes as long: LLVM in the packages on PyPI has no vector math library.
@numba.njit(parallel=True, cache=True)
def evaluate(a):
    total = 0.0
    for i in numba.prange(a.size):
        total += math.sin(a[i]) * math.log(a[i]) * a[i] ** 2
    return total


numba.set_num_threads(THREADS)
# Compiles, or loads what was compiled in the round before; not timed.
evaluate(fill(1000))
peak = Peak()
a = fill(SIZE)
duration, value = best(lambda: evaluate(a))
emit("expression", "numba", duration, value, peak.rise())
