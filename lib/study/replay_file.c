/* replay_file.c - [G][T] arrays as they are in memory: one row, one chunk for each group. */
#include "alloc.h"
#include "result_parts.h"

static void write_table(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                        const void *values, size_t rows, size_t cols)
{
    const struct gtr_h5_shape shape = { .cols = cols, .chunk_rows = 1, .deflate = true };

    if (values != NULL)
        gtr_result_table(result, name, type, &shape, rows, values);
}

static void write_column_names(struct gtr_result *result)
{
    size_t n = gtr_scaling_n_columns(), i;
    const char **names;

    if (!gtr_result_alloc(result, &names, n, sizeof *names))
        return;
    for (i = 0; i < n; i++)
        names[i] = gtr_scaling_column_name(i);
    gtr_result_strings(result, "statistic", names, n);
    gtr_free(names);
}

enum gtr_code gtr_replay_file_open(const char *path, bool force, const char *trace_path,
                                   const char *group_by, const struct gtr_replay *replay,
                                   struct gtr_result **out, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(replay);
    size_t n_groups = series->n_groups, n_steps = series->n_steps;
    enum gtr_code rc =
        gtr_result_new(path, force, "gradtrace-result", trace_path, group_by, out, err);

    if (rc != GTR_OK)
        return rc;
    gtr_result_integer(*out, "total_steps", gtr_replay_total_steps(replay));
    gtr_result_strings(*out, "group", (const char *const *)series->names, n_groups);
    gtr_result_vector(*out, "step", GTR_H5_I64, series->index, n_steps);
    gtr_result_vector(*out, "skipped", GTR_H5_U8, gtr_replay_skip(replay), n_steps);
    write_table(*out, "sumsq", GTR_H5_F64, series->sumsq, n_groups, n_steps);
    write_column_names(*out);
    return gtr_result_opened(out, err);
}

/* A group's statistics; behind the last, the pooled ones. */
static void fill_statistics(const void *context, size_t row, void *values)
{
    const struct gtr_scaling_report *report = context;
    double *value = values;
    size_t i;

    for (i = 0; i < gtr_scaling_n_columns(); i++)
        value[i] =
            gtr_scaling_column(row < report->n_groups ? &report->group[row] : &report->pooled, i);
}

enum gtr_code gtr_replay_file_add(struct gtr_result *result, const char *label, const char *setting,
                                  const struct gtr_decisions *decisions,
                                  const struct gtr_scaling_report *report, struct gtr_err *err)
{
    const struct gtr_h5_shape shape = { .cols = gtr_scaling_n_columns(),
                                        .chunk_rows = 1,
                                        .deflate = true };
    size_t n_groups = decisions->n_groups, n_steps = decisions->n_steps;

    gtr_result_policy(result, label, setting);
    write_table(result, "scale", GTR_H5_F64, decisions->scale, n_groups, n_steps);
    write_table(result, "lower", GTR_H5_F64, decisions->lower, n_groups, n_steps);
    write_table(result, "upper", GTR_H5_F64, decisions->upper, n_groups, n_steps);
    write_table(result, "flags", GTR_H5_U8, decisions->flags, n_groups, n_steps);
    gtr_result_rows(result, "statistics", GTR_H5_F64, &shape, report->n_groups + 1, fill_statistics,
                    report);
    return gtr_result_check(result, err);
}
