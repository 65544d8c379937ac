/* spill_rows.c - what spill found, for programs: groups and steps as tab-separated text, and all
 * but the steps as JSON. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>

#include "json_text.h"
#include "spill_found.h"

/* --- tables ---------------------------------------------------------------------------------- */

void spill_group_rows(struct rows *rows, const void *of)
{
    const struct spill_found *found = of;
    const struct gtr_series *series = found->study->series;
    char *column;
    size_t i, j, c;

    rows_columns(rows, "policy group innocent chance received loss blamed share owned without");
    for (c = 0; c < series->n_groups; c++) {
        if (asprintf(&column, "from %s", series->names[c]) < 0) {
            gtr_fail(&rows->err, GTR_ENOMEM, "no memory for a table");
            return;
        }
        rows_column(rows, column);
        free(column);
    }
    for (i = 0; i < found->n_policies; i++) {
        const struct gtr_spill *spill = found->policies[i].spill;

        for (j = 0; j < spill->n_groups; j++) {
            rows_text(rows, found->policies[i].text);
            rows_text(rows, series->names[j]);
            rows_number(rows, spill->innocent[j]);
            rows_number(rows, spill->chance[j]);
            rows_number(rows, spill->received[j]);
            rows_number(rows, spill_loss(spill, j));
            rows_number(rows, spill->blamed[j]);
            rows_number(rows, spill_share(spill, j));
            rows_number(rows, spill->owned[j]);
            rows_number(rows, spill->without[j]);
            for (c = 0; c < spill->n_groups; c++)
                rows_number(rows, spill->matrix[j * spill->n_groups + c]);
        }
    }
}

static void put_culprit(struct rows *rows, const struct spill_found *found,
                        const struct spill_policy *policy, size_t j, size_t t)
{
    const struct gtr_series *series = found->study->series;
    size_t at = j * series->n_steps + t;

    rows_text(rows, policy->text);
    rows_integer(rows, series->index[t]);
    rows_text(rows, series->names[j]);
    rows_number(rows, sqrt(series->sumsq[at]));
    rows_number(rows, exp(found->baseline->log_ratio[at]));
    rows_number(rows, policy->spill->blame[at]);
    rows_number(rows, policy->spill->excess[t]);
    rows_number(rows, policy->spill->attenuation[t]);
}

enum gtr_code spill_steps(FILE *f, const struct spill_found *found, struct gtr_err *err)
{
    struct rows rows;
    size_t i, t, j;

    rows_open(&rows, f, false);
    rows_columns(&rows, "policy step culprit norm ratio blame excess attenuation");
    for (i = 0; i < found->n_policies; i++) {
        const struct gtr_spill *spill = found->policies[i].spill;

        for (t = 0; t < spill->n_steps && !ferror(f); t++)
            for (j = 0; j < spill->n_groups; j++)
                if (spill->excess[t] > 0.0 && spill->blame[j * spill->n_steps + t] > 0.0)
                    put_culprit(&rows, found, &found->policies[i], j, t);
    }
    return rows_close(&rows, err);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static struct json_object *point(const struct gtr_spill_point *p)
{
    struct json_object *object = json_object_new_object();

    json_add_number(object, "max_norm", p->max_norm);
    json_add_number(object, "clip_rate", p->clip_rate);
    json_add_number(object, "excess_share", p->excess_share);
    json_add_number(object, "cost", p->cost);
    json_add_number(object, "excess_cost", p->excess_cost);
    json_add_number(object, "attenuation", p->attenuation);
    return object;
}

static struct json_object *groups_of(const struct spill_found *found, const struct gtr_spill *spill)
{
    struct json_object *array = json_object_new_array();
    size_t j;

    for (j = 0; j < spill->n_groups; j++) {
        struct json_object *group = json_object_new_object();

        json_add_text(group, "group", found->study->series->names[j]);
        json_add_number(group, "innocent", spill->innocent[j]);
        json_add_number(group, "chance", spill->chance[j]);
        json_add_number(group, "received", spill->received[j]);
        json_add_number(group, "loss", spill_loss(spill, j));
        json_add_number(group, "blamed", spill->blamed[j]);
        json_add_number(group, "share", spill_share(spill, j));
        json_add_number(group, "owned", spill->owned[j]);
        json_add_number(group, "without", spill->without[j]);
        json_object_array_add(array, group);
    }
    return array;
}

static struct json_object *matrix_of(const struct gtr_spill *spill)
{
    struct json_object *rows = json_object_new_array();
    size_t j, c;

    for (j = 0; j < spill->n_groups; j++) {
        struct json_object *row = json_object_new_array();

        for (c = 0; c < spill->n_groups; c++)
            json_object_array_add(row, json_number(spill->matrix[j * spill->n_groups + c]));
        json_object_array_add(rows, row);
    }
    return rows;
}

static struct json_object *policy_of(const struct spill_found *found,
                                     const struct spill_policy *policy)
{
    struct json_object *object = json_object_new_object();
    const struct gtr_spill *spill = policy->spill;

    json_add_text(object, "policy", policy->text);
    json_add_flag(object, "global", policy->global);
    json_add_number(object, "max_norm", policy->max_norm);
    json_add_integer(object, "steps_counted", (int64_t)spill->n_counted);
    json_add_number(object, "clip_rate", policy->clip_rate);
    json_add_integer(object, "steps_with_excess", (int64_t)spill->n_excess);
    json_add_integer(object, "steps_sampled", (int64_t)spill->n_sampled);
    json_add_number(object, "sampling_error", spill->sampling_error);
    json_add_number(object, "attenuation", policy->global ? spill->attenuation_sum : (double)NAN);
    json_add_number(object, "excess", spill->excess_sum);
    json_add_number(object, "excess_share", spill->excess_share);
    json_add_number(object, "spill_share", spill->spill_share);
    json_add_number(object, "above_share", spill->above_share);
    json_add_number(object, "chance_share", spill->chance_share);
    json_add_number(object, "cost", policy->global ? policy->at.cost : (double)NAN);
    json_add_number(object, "excess_cost", policy->at.excess_cost);
    json_add_number(object, "cost_of_all", spill->cost);
    json_add_number(object, "bystanders", spill->bystanders);
    json_add_number(object, "lost_descent", spill->lost_descent);
    json_add_number(object, "culprits", spill->culprits);
    json_object_object_add(object, "groups", groups_of(found, spill));
    json_object_object_add(object, "matrix", matrix_of(spill));
    return object;
}

static struct json_object *worst_of(const struct spill_found *found)
{
    struct json_object *array = json_object_new_array();
    const struct gtr_series *series = found->study->series;
    size_t k, j;

    for (k = 0; k < found->n_worst; k++) {
        const struct gtr_spill *spill = found->policies[found->main].spill;
        struct json_object *step = json_object_new_object(), *list = json_object_new_array();
        size_t t = found->worst[k];

        json_object_object_add(step, "step", json_object_new_int64(series->index[t]));
        json_add_number(step, "norm", series->total[t]);
        json_add_number(step, "attenuation", spill->attenuation[t]);
        json_add_number(step, "excess", spill->excess[t]);
        for (j = 0; j < spill->n_groups; j++) {
            size_t at = j * spill->n_steps + t;
            struct json_object *culprit;

            if (!(spill->blame[at] > 0.0))
                continue;
            culprit = json_object_new_object();
            json_add_text(culprit, "group", series->names[j]);
            json_add_number(culprit, "norm", sqrt(series->sumsq[at]));
            json_add_number(culprit, "ratio", exp(found->baseline->log_ratio[at]));
            json_add_number(culprit, "blame", spill->blame[at]);
            json_object_array_add(list, culprit);
        }
        json_object_object_add(step, "culprits", list);
        json_object_array_add(array, step);
    }
    return array;
}

static struct json_object *kappas_of(const struct spill_found *found)
{
    struct json_object *array = json_object_new_array();
    size_t i;

    for (i = 0; i < found->n_kappas; i++) {
        const struct spill_kappa *k = &found->kappas[i];
        struct json_object *row = json_object_new_object();

        json_add_number(row, "kappa", k->kappa);
        json_add_number(row, "excess_share", k->excess_share);
        json_object_object_add(row, "culprit",
                               k->share > 0.0 ? json_text(found->study->series->names[k->culprit])
                                              : NULL);
        json_add_number(row, "share", k->share);
        json_object_array_add(array, row);
    }
    return array;
}

static struct json_object *everything(const struct spill_found *found)
{
    const struct gtr_baseline_options *past = &found->options->baseline;
    struct json_object *all = json_object_new_object(), *list;
    size_t i;

    json_add_text(all, "trace", gtr_trace_path(found->study->trace));
    json_add_text(all, "group_by", found->study->groups->rule);
    json_add_integer(all, "steps", (int64_t)found->study->series->n_steps);
    json_add_text(all, "blame", spill_methods[found->options->method]);
    json_add_number(all, "kappa", past->kappa);
    json_add_number(all, "decay", past->decay);
    json_add_integer(all, "warmup", (int64_t)(size_t)past->warmup);
    json_add_number(all, "cost", found->options->cost);
    json_object_object_add(all, "recommended", point(&found->chosen));
    json_add_number(all, "recommended_low", found->chosen_low);
    json_add_number(all, "recommended_high", found->chosen_high);
    json_object_object_add(all, "run_limit", found->own.max_norm > 0.0 ? point(&found->own) : NULL);
    list = json_object_new_array();
    for (i = 0; i < found->n_policies; i++)
        json_object_array_add(list, policy_of(found, &found->policies[i]));
    json_object_object_add(all, "policies", list);
    json_object_object_add(all, "worst_steps", worst_of(found));
    json_object_object_add(all, "by_kappa", kappas_of(found));
    list = json_object_new_array();
    for (i = 0; i < SPILL_POINTS; i++)
        json_object_array_add(list, point(&found->points[i]));
    json_object_object_add(all, "curve", list);
    return all;
}

enum gtr_code spill_json(FILE *f, const struct spill_found *found, struct gtr_err *err)
{
    return json_write(f, everything(found), err);
}
