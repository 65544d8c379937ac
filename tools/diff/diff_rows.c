/* diff_rows.c - two traces, for programs: one row per group and measure, or the same as JSON.
 *
 * Numbers that only describe have nan where those of a test would be.
 */
#include <math.h>

#include "diff_found.h"
#include "json_text.h"
#include "rows.h"

/* The columns of a row, in order. */
static const char *const columns[] = { "a", "b", "change", "low", "high", "p", "p_holm" };

static void values_of(const struct gtr_contrast *m, double values[7])
{
    const double all[7] = { m->a, m->b, m->change, m->low, m->high, m->p, m->holm };
    size_t i;

    for (i = 0; i < 7; i++)
        values[i] = all[i];
}

static void put_row(struct rows *rows, const char *group, const char *measure,
                    const struct gtr_contrast *m)
{
    double values[7];
    size_t i;

    rows_text(rows, group);
    rows_text(rows, measure);
    values_of(m, values);
    for (i = 0; i < 7; i++)
        rows_number(rows, values[i]);
    rows_number(rows, isnan(m->p) ? (double)NAN : m->changed);
}

/* A number that describes and is not judged. */
static void put_described(struct rows *rows, const char *group, const char *what, double a,
                          double b)
{
    const double none = (double)NAN;
    const struct gtr_contrast m = { a, b, none, none, none, none, none, false };

    put_row(rows, group, what, &m);
}

void diff_group_rows(struct rows *rows, const void *of)
{
    const struct diff_found *found = of;
    char text[128];
    size_t s, j, i;

    rows_columns(rows, "group measure");
    for (i = 0; i < GTR_ARRAY_LEN(columns); i++)
        rows_column(rows, columns[i]);
    rows_column(rows, "changed");
    for (j = 0; j < found->n_groups; j++) {
        const struct gtr_compared *g = &found->comparison->group[j];
        const char *name = found->names[j];

        for (i = 0; i < found->comparison->n_measures; i++)
            put_row(rows, name, diff_measure_name(found, i, text), &g->measure[i]);
        put_described(rows, name, "p90", g->a[1], g->b[1]);
        put_described(rows, name, "p99", g->a[2], g->b[2]);
        put_described(rows, name, "superiority", 1.0 - g->superiority, g->superiority);
        put_described(rows, name, "steps", (double)g->n_a, (double)g->n_b);
    }
    for (s = 0; s < found->n_of[0] + found->n_of[1]; s++)
        for (j = 0; j < found->side[s].n_alone; j++)
            put_described(rows, found->side[s].study.series->names[found->side[s].alone[j]],
                          "present", s < found->n_of[0] ? 1.0 : 0.0,
                          s >= found->n_of[0] ? 1.0 : 0.0);
}

static struct json_object *side_of(const struct diff_side *side)
{
    struct json_object *object = json_object_new_object(), *alone = json_object_new_array();
    size_t j;

    json_add_text(object, "trace", gtr_trace_path(side->study.trace));
    json_add_integer(object, "first", side->window.first);
    json_add_integer(object, "last", side->window.last);
    for (j = 0; j < side->n_alone; j++)
        json_object_array_add(alone, json_text(side->study.series->names[side->alone[j]]));
    json_object_object_add(object, "groups_only_here", alone);
    return object;
}

/* An object; of several runs, a list of them. */
static void add_side(struct json_object *all, const char *key, const struct diff_side *runs,
                     size_t n)
{
    struct json_object *list = json_object_new_array();
    size_t i;

    for (i = 0; i < n; i++)
        json_object_array_add(list, side_of(&runs[i]));
    json_object_object_add(all, key,
                           n > 1 ? list : json_object_get(json_object_array_get_idx(list, 0)));
    if (n == 1)
        json_object_put(list);
}

static struct json_object *group_of(const struct diff_found *found, size_t j)
{
    const struct gtr_compared *g = &found->comparison->group[j];
    struct json_object *object = json_object_new_object(), *measures = json_object_new_array();
    static const char *const names[3] = { "median", "p90", "p99" };
    char text[128];
    size_t i, k;

    json_add_text(object, "group", found->names[j]);
    for (i = 0; i < 3; i++) {
        struct json_object *pair = json_object_new_array();

        json_object_array_add(pair, json_number(g->a[i]));
        json_object_array_add(pair, json_number(g->b[i]));
        json_object_object_add(object, names[i], pair);
    }
    json_add_number(object, "superiority", g->superiority);
    json_add_number(object, "cliffs_delta", 2.0 * g->superiority - 1.0);
    json_add_number(object, "tau", g->tau);
    json_add_integer(object, "stretches", (int64_t)g->n_stretches);
    for (i = 0; i < found->comparison->n_measures; i++) {
        const struct gtr_contrast *m = &g->measure[i];
        struct json_object *row = json_object_new_object();
        double values[7];

        values_of(m, values);
        json_add_text(row, "measure", diff_measure_name(found, i, text));
        for (k = 0; k < 7; k++)
            json_add_number(row, columns[k], values[k]);
        json_object_object_add(row, "changed",
                               isnan(m->p) ? NULL : json_object_new_boolean(m->changed));
        json_object_array_add(measures, row);
    }
    json_object_object_add(object, "measures", measures);
    return object;
}

enum gtr_code diff_json(FILE *f, const struct diff_found *found, struct gtr_err *err)
{
    struct json_object *all = json_object_new_object(), *groups = json_object_new_array();
    size_t j;

    add_side(all, "a", found->side, found->n_of[0]);
    add_side(all, "b", found->side + found->n_of[0], found->n_of[1]);
    json_add_flag(all, "same_steps", found->comparison->same_steps);
    json_add_number(all, "alpha", found->comparison->alpha);
    json_add_integer(all, "tests", (int64_t)found->comparison->n_tests);
    for (j = 0; j < found->n_groups; j++)
        json_object_array_add(groups, group_of(found, j));
    json_object_object_add(all, "groups", groups);
    return json_write(f, all, err);
}
