/* info_groups.c - which tensors are in which group, and how large its gradient was. */
#include "info.h"

#include <math.h>
#include <string.h>

enum { NARROWEST = 8, WIDEST = 72, SHOWN_TENSORS = 2 };

struct group_facts {
    size_t n_tensors;
    uint64_t n_elements;
    size_t first[SHOWN_TENSORS]; /* tensors */
    double share;                /* of the energy of all steps */
    double max;                  /* norm; NaN if there was none */
};

static void count_tensors(const struct study *study, struct group_facts *facts)
{
    const struct gtr_head *head = gtr_trace_head(study->trace);
    size_t i;

    for (i = 0; i < head->n_tensors; i++) {
        struct group_facts *group = &facts[study->groups->of_tensor[i]];

        if (group->n_tensors < SHOWN_TENSORS)
            group->first[group->n_tensors] = i;
        group->n_tensors++;
        group->n_elements += head->tensors[i].numel;
    }
}

static void measure(const struct study *study, struct group_facts *facts)
{
    const struct gtr_series *series = study->series;
    double total = 0.0;
    size_t j, t;

    for (t = 0; t < series->n_steps; t++)
        total += series->nonfinite[t] ? 0.0 : series->total_sumsq[t];
    for (j = 0; j < series->n_groups; j++) {
        double energy = 0.0, max = (double)NAN;

        for (t = 0; t < series->n_steps; t++) {
            double sumsq = series->sumsq[j * series->n_steps + t];

            if (series->nonfinite[t])
                continue;
            energy += sumsq;
            if (!(sumsq <= max)) /* true also for the first, over NaN */
                max = sumsq;
        }
        facts[j].share = total > 0.0 ? energy / total : 0.0;
        facts[j].max = sqrt(max);
    }
}

static int name_width(const struct gtr_groups *groups)
{
    size_t width = NARROWEST, j;

    for (j = 0; j < groups->n_groups; j++)
        if (strlen(groups->names[j]) > width)
            width = strlen(groups->names[j]);
    return (int)(width < WIDEST ? width : WIDEST);
}

static void put_norm(FILE *f, double norm)
{
    if (isnan(norm))
        fprintf(f, " %11s", "-");
    else
        fprintf(f, " %11.4g", norm);
}

/* Names are not cut: a program may read them, and what is long comes last. */
static void put_row(FILE *f, int width, const struct study *study, size_t j,
                    const struct group_facts *facts, double median)
{
    const struct gtr_head *head = gtr_trace_head(study->trace);
    const char *name = study->groups->names[j];
    int padding = width - (int)strlen(name);
    const char *first = facts->n_tensors > 0 ? head->tensors[facts->first[0]].name : "";
    size_t n_shown = facts->n_tensors == 1 && strcmp(name, first) == 0 ? 0 : facts->n_tensors, i;

    info_put_text(f, name);
    fprintf(f, "%*s %7zu %14llu %6.1f%%", padding > 0 ? padding : 0, "", facts->n_tensors,
            (unsigned long long)facts->n_elements, 100.0 * facts->share);
    put_norm(f, median);
    put_norm(f, facts->max);
    for (i = 0; i < n_shown && i < SHOWN_TENSORS; i++) {
        fputs(i == 0 ? "  " : ", ", f);
        info_put_text(f, head->tensors[facts->first[i]].name);
    }
    fputs(n_shown > SHOWN_TENSORS ? ", ...\n" : "\n", f);
}

enum gtr_code info_groups(FILE *f, const struct study *study, struct gtr_err *err)
{
    const struct gtr_groups *groups = study->groups;
    const int width = name_width(groups);
    struct gtr_norm_summary *norms = NULL;
    struct group_facts *facts = NULL;
    enum gtr_code rc;
    size_t j;

    rc = gtr_alloc_for(&facts, groups->n_groups, sizeof *facts, "groups", err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_norm_summaries_new(study->replay, &norms, err);
    if (rc != GTR_OK)
        goto out;
    count_tensors(study, facts);
    measure(study, facts);
    fprintf(f, "%-*s %7s %14s %7s %11s %11s  %s\n", width, "group", "tensors", "elements", "energy",
            "median norm", "largest", "tensors, the first");
    for (j = 0; j < groups->n_groups; j++)
        put_row(f, width, study, j, &facts[j], norms[j].p50);
    fprintf(f, "\n%zu group%s by the rule %s; energy: share of the sum of squares of all steps",
            groups->n_groups, groups->n_groups == 1 ? "" : "s", groups->rule);
    if (groups->left_out < groups->n_groups)
        fputs(";\nthe rule leaves the group - out of clipping", f);
    fputc('\n', f);
out:
    gtr_free(norms);
    gtr_free(facts);
    return rc;
}
