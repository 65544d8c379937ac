/* spill_file.c - one HDF5 group for each policy; [G][T] tables have a row and a chunk a group. */
#include <string.h>

#include "alloc.h"
#include "result_parts.h"

static struct gtr_h5_shape rows_of(size_t cols)
{
    return (struct gtr_h5_shape){ .cols = cols, .chunk_rows = 1, .deflate = true, .sparse = true };
}

static const char *const curve_columns[] = { "max_norm", "clip_rate",   "excess_share",
                                             "cost",     "excess_cost", "attenuation" };

static void fill_point(const void *context, size_t row, void *values)
{
    const struct gtr_spill_point *p = (const struct gtr_spill_point *)context + row;
    const double columns[GTR_ARRAY_LEN(curve_columns)] = { p->max_norm,     p->clip_rate,
                                                           p->excess_share, p->cost,
                                                           p->excess_cost,  p->attenuation };

    memcpy(values, columns, sizeof columns);
}

enum gtr_code gtr_spill_file_open(const char *path, bool force, const struct gtr_spill_about *about,
                                  struct gtr_result **out, struct gtr_err *err)
{
    const struct gtr_series *series = gtr_replay_series(about->replay);
    const struct gtr_baseline_options *past = &about->baseline->options;
    const struct gtr_h5_shape by_step = rows_of(series->n_steps),
                              by_column = rows_of(GTR_ARRAY_LEN(curve_columns));
    enum gtr_code rc =
        gtr_result_new(path, force, "gradtrace-spill", about->trace, about->group_by, out, err);

    if (rc != GTR_OK)
        return rc;
    gtr_result_text(*out, "blame", about->method);
    gtr_result_integer(*out, "warmup", past->warmup);
    gtr_result_real(*out, "kappa", past->kappa);
    gtr_result_real(*out, "decay", past->decay);
    gtr_result_real(*out, "cost", about->cost);
    gtr_result_real(*out, "recommended", about->chosen->max_norm);
    gtr_result_strings(*out, "group", (const char *const *)series->names, series->n_groups);
    gtr_result_vector(*out, "step", GTR_H5_I64, series->index, series->n_steps);
    gtr_result_table(*out, "log_ratio", GTR_H5_F64, &by_step, series->n_groups,
                     about->baseline->log_ratio);
    gtr_result_strings(*out, "curve_column", curve_columns, GTR_ARRAY_LEN(curve_columns));
    gtr_result_rows(*out, "curve", GTR_H5_F64, &by_column, about->n_points, fill_point,
                    about->points);
    return gtr_result_opened(out, err);
}

enum gtr_code gtr_spill_file_add(struct gtr_result *result, const char *setting,
                                 const struct gtr_spill *spill, struct gtr_err *err)
{
    const struct gtr_h5_shape by_group = rows_of(spill->n_groups),
                              by_step = rows_of(spill->n_steps);

    gtr_result_policy(result, NULL, setting);
    gtr_result_real(result, "max_norm", spill->max_norm);
    gtr_result_real(result, "excess_share", spill->excess_share);
    gtr_result_real(result, "bystanders", spill->bystanders);
    gtr_result_real(result, "lost_descent", spill->lost_descent);
    gtr_result_real(result, "culprits", spill->culprits);
    gtr_result_integer(result, "n_counted", (int64_t)spill->n_counted);
    gtr_result_integer(result, "n_clipped", (int64_t)spill->n_clipped);
    gtr_result_integer(result, "n_excess", (int64_t)spill->n_excess);
    gtr_result_real(result, "spill_share", spill->spill_share);
    gtr_result_real(result, "cost", spill->cost);
    gtr_result_real(result, "above_share", spill->above_share);
    gtr_result_real(result, "chance_share", spill->chance_share);
    gtr_result_integer(result, "n_sampled", (int64_t)spill->n_sampled);
    gtr_result_real(result, "sampling_error", spill->sampling_error);
    gtr_result_vector(result, "spilled", GTR_H5_F64, spill->spilled, spill->n_steps);
    gtr_result_vector(result, "chance", GTR_H5_F64, spill->chance, spill->n_groups);
    gtr_result_vector(result, "owned", GTR_H5_F64, spill->owned, spill->n_groups);
    gtr_result_vector(result, "without", GTR_H5_F64, spill->without, spill->n_groups);
    gtr_result_vector(result, "attenuation", GTR_H5_F64, spill->attenuation, spill->n_steps);
    gtr_result_vector(result, "excess", GTR_H5_F64, spill->excess, spill->n_steps);
    gtr_result_vector(result, "innocent", GTR_H5_F64, spill->innocent, spill->n_groups);
    gtr_result_vector(result, "received", GTR_H5_F64, spill->received, spill->n_groups);
    gtr_result_vector(result, "blamed", GTR_H5_F64, spill->blamed, spill->n_groups);
    gtr_result_table(result, "matrix", GTR_H5_F64, &by_group, spill->n_groups, spill->matrix);
    gtr_result_table(result, "blame", GTR_H5_F64, &by_step, spill->n_groups, spill->blame);
    return gtr_result_check(result, err);
}
