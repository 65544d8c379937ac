/* explain_rows.c - one step for programs: the groups under each policy as a table, everything as
 * JSON. */
#include <math.h>

#include "explain_found.h"
#include "json_text.h"

/* --- the table ------------------------------------------------------------------------------ */

static void put_norm(struct rows *rows, const struct explain_norm *norm)
{
    rows_number(rows, norm->norm);
    rows_number(rows, norm->average);
    rows_integer(rows, norm->above);
    rows_number(rows, norm->share);
}

/* Group n_groups is all together, which has no scale. */
static void put_decision(struct rows *rows, const struct explain_found *found, size_t i, size_t j)
{
    const struct explain_policy *policy = &found->policies[i];
    const struct gtr_decisions *d = policy->decisions;
    bool all = j == d->n_groups;
    size_t at = all ? 0 : j * d->n_steps + found->row;
    const double nothing = (double)NAN;

    rows_number(rows, all ? nothing : d->lower[at]);
    rows_number(rows, all ? nothing : d->upper[at]);
    rows_number(rows, all ? nothing : d->scale[at]);
    rows_number(rows, all ? policy->norm_out : d->scale[at] * found->group[j].norm);
    rows_integer(rows, !all && (d->flags[at] & GTR_FLAG_CAPPED) != 0);
    rows_integer(rows, !all && (d->flags[at] & GTR_FLAG_EMPTY) != 0);
    rows_number(rows, all || found->skip ? nothing : policy->rho[at]);
    rows_number(rows, policy->spill == NULL ? nothing
                      : all                 ? policy->spill->excess[found->row]
                                            : policy->spill->blame[at]);
    rows_number(rows, policy->at != NULL ? policy->at[j].change : nothing);
    rows_number(rows, policy->at != NULL ? policy->at[j].cosine : nothing);
    rows_text(rows, all ? "" : explain_reason(found, i, j));
}

void explain_rows(struct rows *rows, const void *what)
{
    const struct explain_found *found = what;
    const struct gtr_series *series = found->study.series;
    size_t n = found->study.n_settings, i, j;

    rows_columns(rows, "step policy group norm average above share");
    if (n > 0)
        rows_columns(rows, "lower upper scale norm_out capped empty rho blame update_change "
                           "update_cosine why");
    for (i = 0; i < (n > 0 ? n : 1); i++) {
        for (j = 0; j <= series->n_groups; j++) {
            bool all = j == series->n_groups;

            rows_integer(rows, series->index[found->row]);
            rows_text(rows, n > 0 ? found->study.labels[i] : "");
            rows_text(rows, all ? "(all)" : series->names[j]);
            put_norm(rows, all ? &found->whole : &found->group[j]);
            if (n > 0)
                put_decision(rows, found, i, j);
        }
    }
}

/* --- everything ----------------------------------------------------------------------------- */

static void add_norm(struct json_object *object, const struct explain_norm *norm)
{
    json_add_number(object, "norm", norm->norm);
    json_add_number(object, "average", norm->average);
    json_add_number(object, "factor", norm->norm / norm->average);
    json_add_flag(object, "above", norm->above);
    json_add_number(object, "share", norm->share);
}

static struct json_object *tensors_of(const struct explain_found *found,
                                      const struct explain_tensor *list, size_t n)
{
    const struct gtr_tensor *tensors = gtr_trace_head(found->study.trace)->tensors;
    struct json_object *array = json_object_new_array();
    size_t k;

    for (k = 0; k < n; k++) {
        struct json_object *row = json_object_new_object();

        json_add_text(row, "tensor", tensors[list[k].tensor].name);
        json_add_number(row, "norm", list[k].norm);
        json_add_number(row, "share_of_group", list[k].share);
        json_add_number(row, "usual", list[k].past);
        json_add_integer(row, "nonfinite", (int64_t)list[k].nonfinite);
        json_object_array_add(array, row);
    }
    return array;
}

static struct json_object *decision_of(const struct explain_found *found, size_t i, size_t j)
{
    const struct explain_policy *policy = &found->policies[i];
    size_t at = j * found->study.series->n_steps + found->row;
    struct json_object *row = json_object_new_object();

    json_add_text(row, "group", found->study.series->names[j]);
    json_add_number(row, "lower", policy->decisions->lower[at]);
    json_add_number(row, "upper", policy->decisions->upper[at]);
    json_add_number(row, "scale", policy->decisions->scale[at]);
    json_add_number(row, "norm_out", policy->decisions->scale[at] * found->group[j].norm);
    json_add_flag(row, "capped", (policy->decisions->flags[at] & GTR_FLAG_CAPPED) != 0);
    json_add_flag(row, "empty", (policy->decisions->flags[at] & GTR_FLAG_EMPTY) != 0);
    json_add_text(row, "why", explain_reason(found, i, j));
    json_add_number(row, "rho", found->skip ? (double)NAN : policy->rho[at]);
    if (policy->spill != NULL)
        json_add_number(row, "blame", policy->spill->blame[at]);
    if (policy->at != NULL) {
        json_add_number(row, "update_change", policy->at[j].change);
        json_add_number(row, "update_cosine", policy->at[j].cosine);
    }
    return row;
}

static struct json_object *policies_of(const struct explain_found *found)
{
    struct json_object *array = json_object_new_array();
    size_t i, j;

    for (i = 0; i < found->study.n_settings; i++) {
        const struct explain_policy *policy = &found->policies[i];
        struct json_object *object = json_object_new_object(), *groups = json_object_new_array();

        json_add_text(object, "policy", gtr_setting_text(found->study.settings[i]));
        json_add_number(object, "norm_out", policy->norm_out);
        json_add_number(object, "cosine", policy->cosine);
        if (policy->spill != NULL) {
            json_add_number(object, "attenuation", policy->spill->attenuation[found->row]);
            json_add_number(object, "excess", policy->spill->excess[found->row]);
        }
        for (j = 0; j < found->study.series->n_groups; j++)
            json_object_array_add(groups, decision_of(found, i, j));
        json_object_object_add(object, "groups", groups);
        json_object_array_add(array, object);
    }
    return array;
}

static struct json_object *after_of(const struct explain_found *found)
{
    const struct explain_loss *loss = &found->loss;
    struct json_object *object = json_object_new_object();

    if (found->whole.above && found->back != SIZE_MAX)
        json_add_integer(object, "norm_back_after", (int64_t)found->back);
    else
        json_object_object_add(object, "norm_back_after", NULL);
    json_add_number(object, "loss_before", loss->before);
    json_add_number(object, "loss_before_least", loss->before_least);
    json_add_number(object, "loss_before_most", loss->before_most);
    json_add_number(object, "loss_peak", loss->peak);
    if (isfinite(loss->peak))
        json_add_integer(object, "loss_peak_step", loss->peak_step);
    json_add_flag(object, "loss_rose", loss->left);
    if (loss->back > 0)
        json_add_integer(object, "loss_back_after", (int64_t)loss->back);
    else
        json_object_object_add(object, "loss_back_after", NULL);
    return object;
}

static void add_step(struct json_object *all, const struct explain_found *found)
{
    const struct gtr_step *step = &gtr_trace_steps(found->study.trace)[found->row];

    json_add_text(all, "trace", gtr_trace_path(found->study.trace));
    json_add_text(all, "group_by", found->study.groups->rule);
    json_add_integer(all, "step", step->index);
    json_add_integer(all, "row", (int64_t)found->row);
    json_add_number(all, "loss", step->loss);
    json_add_number(all, "lr", step->lr);
    json_add_number(all, "applied_scale", step->applied_scale);
    json_add_flag(all, "skipped_by_run", step->skipped);
    json_add_flag(all, "skipped_by_policies", found->skip);
    json_add_flag(all, "nonfinite", found->study.series->nonfinite[found->row]);
    json_add_integer(all, "nonfinite_tensors", (int64_t)found->n_all_broken);
    json_add_number(all, "kappa", found->options->baseline.kappa);
}

enum gtr_code explain_json(FILE *f, const struct explain_found *found, struct gtr_err *err)
{
    struct json_object *all = json_object_new_object(), *groups = json_object_new_array();
    struct json_object *whole = json_object_new_object();
    size_t j;

    add_step(all, found);
    add_norm(whole, &found->whole);
    json_add_integer(whole, "rank", (int64_t)found->rank);
    json_add_integer(whole, "ranked", (int64_t)found->n_ranked);
    json_object_object_add(all, "whole", whole);
    for (j = 0; j < found->study.series->n_groups; j++) {
        struct json_object *row = json_object_new_object();

        json_add_text(row, "group", found->study.series->names[j]);
        add_norm(row, &found->group[j]);
        json_object_array_add(groups, row);
    }
    json_object_object_add(all, "groups", groups);
    json_add_text(all, "worst_group", found->study.series->names[found->focus]);
    json_object_object_add(all, "largest_tensors",
                           tensors_of(found, found->tensors, found->n_tensors));
    json_object_object_add(all, "nonfinite_first",
                           tensors_of(found, found->broken, found->n_broken));
    json_object_object_add(all, "after", after_of(found));
    json_object_object_add(all, "policies", policies_of(found));
    return json_write(f, all, err);
}
