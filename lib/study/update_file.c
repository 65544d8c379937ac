/* update_file.c - a row of each table for a group, a column for a step that was simulated.
 *
 * What is derived is derived row by row while it is written, so nothing is held twice.
 */
#include "alloc.h"
#include "result_parts.h"

/* Where the rows of a table come from. */
struct source {
    const struct gtr_update_about *about;
    size_t policy;
    const double *by_step; /* [G][T], or NULL: */
    size_t value;          /* in struct gtr_update_values, of each group and then of the whole */
};

#define VALUE(field) offsetof(struct gtr_update_values, field)

static size_t n_rows(const struct gtr_update_about *about)
{
    return about->update != NULL ? about->update->n_rows
                                 : gtr_replay_series(about->replay)->n_steps;
}

static void fill_row(const void *context, size_t group, void *row)
{
    const struct source *source = context;
    const struct gtr_update *update = source->about->update;
    size_t n_steps = gtr_replay_series(source->about->replay)->n_steps, r;
    double *out = row;

    for (r = 0; r < n_rows(source->about); r++) {
        size_t t = update != NULL ? (size_t)update->row[r] : r;
        struct gtr_update_values values;

        if (source->by_step != NULL) {
            out[r] = source->by_step[group * n_steps + t];
            continue;
        }
        gtr_update_values_at(update, source->policy, group, r, &values);
        out[r] = *(const double *)((const char *)&values + source->value);
    }
}

static void write_table(struct gtr_result *result, const char *name, const struct source *source)
{
    const struct gtr_h5_shape shape = { .cols = n_rows(source->about),
                                        .chunk_rows = 1,
                                        .deflate = true };
    size_t n_groups = gtr_replay_series(source->about->replay)->n_groups;

    gtr_result_rows(result, name, GTR_H5_F64, &shape, n_groups + (source->by_step == NULL ? 1 : 0),
                    fill_row, source);
}

static void write_steps(struct gtr_result *result, const struct gtr_update_about *about)
{
    const struct gtr_series *series = gtr_replay_series(about->replay);
    int64_t *steps;
    size_t r;

    if (about->update == NULL) {
        gtr_result_vector(result, "step", GTR_H5_I64, series->index, series->n_steps);
        return;
    }
    if (!gtr_result_alloc(result, &steps, about->update->n_rows, sizeof *steps))
        return;
    for (r = 0; r < about->update->n_rows; r++)
        steps[r] = series->index[about->update->row[r]];
    gtr_result_vector(result, "step", GTR_H5_I64, steps, about->update->n_rows);
    gtr_free(steps);
}

/* The update is unclipped for every policy alike: any lane tells it. */
static void write_elements(struct gtr_result *result, const struct gtr_update_about *about)
{
    const struct source plain = { .about = about, .value = VALUE(plain) };

    gtr_result_integer(result, "elements", (int64_t)about->update->elements);
    gtr_result_integer(result, "captured", (int64_t)about->update->captured);
    gtr_result_integer(result, "complete", about->update->complete);
    write_table(result, "plain_norm", &plain);
}

enum gtr_code gtr_update_file_open(const char *path, bool force,
                                   const struct gtr_update_about *about, struct gtr_result **out,
                                   struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(about->replay);
    char optimizer[160];
    enum gtr_code rc =
        gtr_result_new(path, force, "gradtrace-update", about->trace, about->group_by, out, err);

    if (rc != GTR_OK)
        return rc;
    gtr_result_text(*out, "optimizer",
                    gtr_optimizer_print(about->optimizer, optimizer, sizeof optimizer));
    gtr_result_strings(*out, "group", (const char *const *)series->names, series->n_groups);
    write_steps(*out, about);
    if (about->update != NULL)
        write_elements(*out, about);
    return gtr_result_opened(out, err);
}

enum gtr_code gtr_update_file_add(struct gtr_result *result, const struct gtr_update_about *about,
                                  const char *label, const char *setting,
                                  const struct gtr_decisions *decisions, const double *rho,
                                  struct gtr_err *err)
{
    const struct gtr_update *update = about->update;
    const struct {
        const char *name;
        const double *by_step;
        size_t value;
    } tables[] = {
        { "scale", decisions->scale, 0 },           { "proxy", rho, 0 },
        { "update_norm", NULL, VALUE(norm) },       { "change", NULL, VALUE(change) },
        { "cosine", NULL, VALUE(cosine) },          { "update_norm_se", NULL, VALUE(error.norm) },
        { "change_se", NULL, VALUE(error.change) }, { "cosine_se", NULL, VALUE(error.cosine) },
    };
    size_t n = update == NULL ? 2 : update->errors == NULL ? 5 : GTR_ARRAY_LEN(tables), i;
    struct source source = { .about = about, .policy = gtr_result_policy(result, label, setting) };

    for (i = 0; i < n; i++) {
        source.by_step = tables[i].by_step;
        source.value = tables[i].value;
        write_table(result, tables[i].name, &source);
    }
    return gtr_result_check(result, err);
}
