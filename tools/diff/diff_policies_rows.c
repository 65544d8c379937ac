/* diff_policies_rows.c - two policies, for programs: one row per group, or the same as JSON with
 * the steps at which they are farthest apart. */
#include <math.h>
#include <string.h>

#include "diff_found.h"
#include "json_text.h"
#include "rows.h"

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

static const char *const columns[] = {
    "decisions", "clip_rate_1", "clip_rate_2",   "raise_rate_1",  "raise_rate_2",
    "mean_ln_1", "mean_ln_2",   "differ",        "mean_abs_ln",   "farthest_ln",
    "at_step",   "spikes",      "spikes_kept_1", "spikes_kept_2",
};

enum { N_COLUMNS = sizeof columns / sizeof columns[0] };

static void values_of(const struct diff_policies *found, const struct diff_pair *p,
                      double values[N_COLUMNS])
{
    double n = (double)p->n;
    const double all[N_COLUMNS] = {
        n,
        share(p->clipped[0], p->n),
        share(p->clipped[1], p->n),
        share(p->raised[0], p->n),
        share(p->raised[1], p->n),
        p->log_sum[0] / n,
        p->log_sum[1] / n,
        share(p->n_apart, p->n),
        p->apart_sum / n,
        p->farthest,
        p->farthest > 0.0 ? (double)found->study.series->index[p->farthest_row] : (double)NAN,
        (double)p->n_spikes,
        (double)p->n_through[0],
        (double)p->n_through[1],
    };

    memcpy(values, all, sizeof all);
}

void diff_policies_rows(struct rows *rows, const void *of)
{
    const struct diff_policies *found = of;
    size_t j, i;

    rows_column(rows, "group");
    for (i = 0; i < N_COLUMNS; i++)
        rows_column(rows, columns[i]);
    for (j = 0; j <= found->study.series->n_groups; j++) {
        double values[N_COLUMNS];

        values_of(found, &found->group[j], values);
        rows_text(rows, found->names[j]);
        for (i = 0; i < N_COLUMNS; i++)
            rows_number(rows, values[i]);
    }
}

static struct json_object *worst_of(const struct diff_policies *found)
{
    struct json_object *array = json_object_new_array();
    size_t k;

    for (k = 0; k < found->n_worst; k++) {
        const struct diff_place *w = &found->worst[k];
        size_t at = w->group * found->study.series->n_steps + w->row;
        struct json_object *row = json_object_new_object();

        json_add_integer(row, "step", found->study.series->index[w->row]);
        json_add_text(row, "group", found->study.series->names[w->group]);
        json_add_number(row, "scale_1", found->decisions[0]->scale[at]);
        json_add_number(row, "scale_2", found->decisions[1]->scale[at]);
        json_object_array_add(array, row);
    }
    return array;
}

enum gtr_code diff_policies_json(FILE *f, const struct diff_policies *found, struct gtr_err *err)
{
    struct json_object *all = json_object_new_object(), *groups = json_object_new_array();
    size_t j, i;

    json_add_text(all, "trace", gtr_trace_path(found->study.trace));
    json_add_text(all, "policy_1", gtr_setting_text(found->study.settings[0]));
    json_add_text(all, "policy_2", gtr_setting_text(found->study.settings[1]));
    json_add_integer(all, "first", found->window.first);
    json_add_integer(all, "last", found->window.last);
    json_add_integer(all, "steps", (int64_t)found->n_steps);
    json_add_integer(all, "steps_that_differ", (int64_t)found->n_steps_apart);
    for (j = 0; j <= found->study.series->n_groups; j++) {
        struct json_object *row = json_object_new_object();
        double values[N_COLUMNS];

        values_of(found, &found->group[j], values);
        json_add_text(row, "group", found->names[j]);
        for (i = 0; i < N_COLUMNS; i++)
            json_add_number(row, columns[i], values[i]);
        json_object_array_add(groups, row);
    }
    json_object_object_add(all, "groups", groups);
    json_object_object_add(all, "farthest", worst_of(found));
    return json_write(f, all, err);
}
