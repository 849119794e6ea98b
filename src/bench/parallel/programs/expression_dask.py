import dask
import dask.array as da
import numpy as np

CHUNK = 1_000_000

with dask.config.set(scheduler="threads", num_workers=THREADS):
    # Starts the threads; not timed.
    da.ones(10, chunks=5).sum().compute()
    peak = Peak()
    numbers = np.arange(1, SIZE + 1, dtype=np.float64)
    numbers *= 100.0 / SIZE
    a = da.from_array(numbers, chunks=CHUNK, name=False)
    duration, value = best(lambda: (da.sin(a) * da.log(a) * a**2).sum().compute())
    emit("expression", "dask", duration, float(value), peak.rise())
