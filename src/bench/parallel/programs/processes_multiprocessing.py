import multiprocessing


def increment(i):
    return i + 1


few, many = range(100), range(SIZE)
context = multiprocessing.get_context("fork")


def start():
    pool = context.Pool(4)
    return pool, pool.map(increment, few)


def end(pool):
    pool.close()
    pool.join()


times = []
for _ in range(RUNS):
    duration, (pool, _) = seconds(start)
    times.append(duration)
    end(pool)
emit("processes-start", "multiprocessing", min(times))
pool, _ = start()
duration, result = best(lambda: pool.map(increment, few))
emit("processes-second", "multiprocessing", duration, float(sum(result)))
duration, result = best(lambda: pool.map(increment, many))
emit("processes-task", "multiprocessing", duration / SIZE, float(sum(result)))
duration, result = best(lambda: pool.map(increment, many, chunksize=1))
emit("processes-single", "multiprocessing", duration / SIZE, float(sum(result)))
end(pool)
