/* steps.c - the --steps table. */
#include "steps.h"

#include <math.h>

void steps_write_header(FILE *f)
{
    fputs("step\tpolicy\tgroup\tnorm\tlower\tupper\tscale\tnorm_out\n", f);
}

static void put_number(FILE *f, double value, char end)
{
    char text[GTR_NUMBER_SIZE];
    size_t n = gtr_text_print(value, text);

    text[n] = end;
    fwrite(text, 1, n + 1, f);
}

void steps_write(FILE *f, const char *label, const struct gtr_series *series,
                 const struct gtr_decisions *decisions)
{
    size_t t, j;

    for (t = 0; t < series->n_steps && !ferror(f); t++) {
        for (j = 0; j < series->n_groups; j++) {
            size_t at = j * series->n_steps + t;
            double norm = sqrt(series->sumsq[at]);

            fprintf(f, "%lld\t%s\t%s\t", (long long)series->index[t], label, series->names[j]);
            put_number(f, norm, '\t');
            put_number(f, decisions->lower[at], '\t');
            put_number(f, decisions->upper[at], '\t');
            put_number(f, decisions->scale[at], '\t');
            put_number(f, norm * decisions->scale[at], '\n');
        }
    }
}
