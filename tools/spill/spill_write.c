/* spill_write.c - tab-separated text. */
#include "spill_write.h"

#include <math.h>

#include "figure.h"

static void put_number(FILE *f, double value, char after)
{
    char text[GTR_NUMBER_SIZE];

    gtr_text_print(value, text);
    fprintf(f, "%s%c", text, after);
}

static void put_text(FILE *f, const char *text)
{
    figure_write_text(f, text);
    fputc('\t', f);
}

void spill_tsv(FILE *f, const struct spill_found *found)
{
    const struct gtr_series *series = found->study->series;
    size_t i, j, c;

    fputs("policy\tgroup\tinnocent\treceived\tloss\tblamed\tshare", f);
    for (c = 0; c < series->n_groups; c++) {
        fputs("\tfrom ", f);
        figure_write_text(f, series->names[c]);
    }
    fputc('\n', f);
    for (i = 0; i < found->n_policies; i++) {
        const struct gtr_spill *spill = found->policies[i].spill;

        for (j = 0; j < spill->n_groups; j++) {
            put_text(f, found->policies[i].text);
            put_text(f, series->names[j]);
            put_number(f, spill->innocent[j], '\t');
            put_number(f, spill->received[j], '\t');
            put_number(f, spill_loss(spill, j), '\t');
            put_number(f, spill->blamed[j], '\t');
            put_number(f, spill_share(spill, j), '\t');
            for (c = 0; c < spill->n_groups; c++)
                put_number(f, spill->matrix[j * spill->n_groups + c],
                           c + 1 < spill->n_groups ? '\t' : '\n');
        }
    }
}

static void put_culprit(FILE *f, const struct spill_found *found, const struct spill_policy *policy,
                        size_t j, size_t t)
{
    const struct gtr_series *series = found->study->series;
    const struct gtr_spill *spill = policy->spill;
    size_t at = j * series->n_steps + t;

    put_text(f, policy->text);
    fprintf(f, "%lld\t", (long long)series->index[t]);
    put_text(f, series->names[j]);
    put_number(f, sqrt(series->sumsq[at]), '\t');
    put_number(f, exp(found->baseline->log_ratio[at]), '\t');
    put_number(f, spill->blame[at], '\t');
    put_number(f, spill->excess[t], '\t');
    put_number(f, spill->attenuation[t], '\n');
}

void spill_steps(FILE *f, const struct spill_found *found)
{
    size_t i, t, j;

    fputs("policy\tstep\tculprit\tnorm\tratio\tblame\texcess\tattenuation\n", f);
    for (i = 0; i < found->n_policies; i++) {
        const struct gtr_spill *spill = found->policies[i].spill;

        for (t = 0; t < spill->n_steps && !ferror(f); t++)
            for (j = 0; j < spill->n_groups; j++)
                if (spill->excess[t] > 0.0 && spill->blame[j * spill->n_steps + t] > 0.0)
                    put_culprit(f, found, &found->policies[i], j, t);
    }
}
