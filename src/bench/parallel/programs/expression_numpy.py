import numpy as np

a = np.zeros(0)
peak = Peak()
a = np.arange(1, SIZE + 1, dtype=np.float64)
a *= 100.0 / SIZE
duration, value = best(lambda: np.sum(np.sin(a) * np.log(a) * a**2))
emit("expression", "numpy", duration, float(value), peak.rise())
