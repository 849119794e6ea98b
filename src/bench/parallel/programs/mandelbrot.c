int main(int count, char **arguments) {
    if (count < 5) return 2;
    long size = argument(arguments, 1), runs = argument(arguments, 2), iterations = 1024;
    omp_set_num_threads(argument(arguments, 3));
    unsigned *counts = malloc(size * size * sizeof *counts);
    if (!counts) return 3;
    double best = INFINITY, scale = 0.005 / size;
    for (long run = 0; run < runs; run++) {
        double begun = omp_get_wtime();
#pragma omp parallel for schedule(dynamic)
        for (long row = 0; row < size; row++)
            for (long column = 0; column < size; column++) {
                double c_re = -1.1195 + (column - size / 2) * scale, c_im = 0.2718 + (row - size / 2) * scale;
                double x = 0.0, y = 0.0;
                unsigned n = 0;
                for (; n < iterations; n++) {
                    double xx = x * x, yy = y * y;
                    if (xx + yy >= 4.0) break;
                    y = 2.0 * x * y + c_im;
                    x = xx - yy + c_re;
                }
                counts[row * size + column] = n;
            }
        best = fmin(best, omp_get_wtime() - begun);
    }
    double total = 0.0;
    for (long i = 0; i < size * size; i++) total += counts[i];
    emit("mandelbrot", arguments[4], best, total, -1);
    free(counts);
    return 0;
}
