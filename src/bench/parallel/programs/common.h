// Shared by the C programs: arguments and output lines.
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long argument(char **arguments, int place) { return strtol(arguments[place], NULL, 10); }

// A field of /proc/self/status in bytes, -1 if there is none.
static long status(const char *field) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0) kib = strtol(line + strlen(field), NULL, 10);
    if (file) fclose(file);
    return kib < 0 ? -1 : kib * 1024;
}

static void emit(const char *row, const char *of, double seconds, double value, long peak_bytes) {
    printf("{\"row\": \"%s\", \"of\": \"%s\", \"seconds\": %.9g, \"value\": %.17g", row, of, seconds, value);
    if (peak_bytes >= 0) printf(", \"peak_bytes\": %ld", peak_bytes);
    printf("}\n");
}

