from joblib import Parallel, delayed


def increment(i):
    return i + 1


few, many = range(100), range(SIZE)


def run(items, **options):
    return Parallel(n_jobs=4, **options)(delayed(increment)(i) for i in items)


# It keeps its workers: a start can be measured only once.
duration, _ = seconds(lambda: run(few))
emit("processes-start", "joblib", duration)
duration, result = best(lambda: run(few))
emit("processes-second", "joblib", duration, float(sum(result)))
duration, result = best(lambda: run(many))
emit("processes-task", "joblib", duration / SIZE, float(sum(result)))
duration, result = best(lambda: run(many, batch_size=1))
emit("processes-single", "joblib", duration / SIZE, float(sum(result)))
