int main(int count, char **arguments) {
    if (count < 5) return 2;
    long size = argument(arguments, 1), runs = argument(arguments, 2);
    omp_set_num_threads(argument(arguments, 3));
    long before = status("VmRSS:");
    double *a = malloc(size * sizeof *a);
    if (!a) return 3;
    // By the threads that will read it.
#pragma omp parallel for
    for (long i = 0; i < size; i++) a[i] = (i + 1) * (100.0 / size);
    double best = INFINITY, total = 0.0;
    for (long run = 0; run < runs; run++) {
        double begun = omp_get_wtime();
        total = 0.0;
#pragma omp parallel for reduction(+ : total)
        for (long i = 0; i < size; i++) total += sin(a[i]) * log(a[i]) * a[i] * a[i];
        best = fmin(best, omp_get_wtime() - begun);
    }
    long peak = status("VmHWM:");
    emit("expression", arguments[4], best, total, peak < 0 ? -1 : peak - before);
    free(a);
    return 0;
}
