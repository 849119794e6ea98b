import numba
import numpy as np


@numba.njit(parallel=True, cache=True)
def mandelbrot(size, iterations):
    counts = np.empty((size, size), np.uint32)
    scale = 0.005 / size
    for row in numba.prange(size):
        for column in range(size):
            c_re = -1.1195 + (column - size // 2) * scale
            c_im = 0.2718 + (row - size // 2) * scale
            x = y = 0.0
            count = 0
            while count < iterations:
                xx, yy = x * x, y * y
                if xx + yy >= 4.0:
                    break
                y = 2.0 * x * y + c_im
                x = xx - yy + c_re
                count += 1
            counts[row, column] = count
    return counts


numba.set_num_threads(THREADS)
# As with schedule(dynamic) in OpenMP: rows take different times.
numba.set_parallel_chunksize(8)
# Compiles, or loads what was compiled in the round before; not timed.
mandelbrot(16, 1024)
duration, counts = best(lambda: mandelbrot(SIZE, 1024))
emit("mandelbrot", "numba", duration, float(counts.sum()))
