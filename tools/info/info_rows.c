/* info_rows.c - one trace, for programs: its facts, its groups, its steps. */
#include <math.h>

#include "info_found.h"

/* --- facts ------------------------------------------------------------------------------------ */

static void text(struct rows *rows, const char *fact, const char *value)
{
    rows_text(rows, fact);
    rows_text(rows, value != NULL ? value : "");
}

static void number(struct rows *rows, const char *fact, double value)
{
    rows_text(rows, fact);
    rows_number(rows, value);
}

static void integer(struct rows *rows, const char *fact, int64_t value)
{
    rows_text(rows, fact);
    rows_integer(rows, value);
}

static void put_file(struct rows *rows, const struct info_found *found)
{
    const struct gtr_head *head = found->head;
    struct gtr_trace_folder folder = { .n_segments = 0 };

    text(rows, "trace", gtr_trace_path(found->study->trace));
    integer(rows, "format_version", GTR_FORMAT_VERSION);
    text(rows, "producer", head->producer);
    text(rows, "created", head->created);
    text(rows, "scenario", json_object_get_string(found->scenario));
    text(rows, "grad_state", head->grad_state);
    integer(rows, "rank", head->rank);
    integer(rows, "world_size", head->world_size);
    text(rows, "reduction", head->reduction);
    text(rows, "group_by", head->group_by);
    text(rows, "stopped", head->stopped);
    text(rows, "elements_stopped", head->elements_stopped);
    gtr_trace_is_folder(found->study->trace, &folder);
    integer(rows, "segments", (int64_t)folder.n_segments);
    integer(rows, "journal_steps", (int64_t)folder.n_journal_rows);
    integer(rows, "segments_not_closed", (int64_t)folder.n_left);
    integer(rows, "tensors", (int64_t)head->n_tensors);
    integer(rows, "elements", (int64_t)found->n_elements);
    integer(rows, "weight_norms", gtr_trace_has(found->study->trace, GTR_PARAM_SUMSQ));
}

static void put_steps(struct rows *rows, const struct info_found *found)
{
    const struct gtr_series *series = found->study->series;
    const struct gtr_norm_summary *whole = &found->norms[series->n_groups];
    size_t n = series->n_steps;
    bool any = found->largest < n;

    integer(rows, "steps", (int64_t)n);
    number(rows, "first_step", n > 0 ? (double)series->index[0] : (double)NAN);
    number(rows, "last_step", n > 0 ? (double)series->index[n - 1] : (double)NAN);
    integer(rows, "planned_steps", found->head->total_steps);
    text(rows, "planned_steps_from", found->head->total_steps_from);
    integer(rows, "steps_with_rest", (int64_t)found->n_rest);
    integer(rows, "nonfinite_steps", (int64_t)series->n_nonfinite);
    integer(rows, "left_out_steps", (int64_t)found->n_left_out);
    integer(rows, "scale_known_steps", (int64_t)found->scale.n);
    integer(rows, "clipped_steps", (int64_t)found->n_clipped);
    number(rows, "scale_least", found->scale.min);
    number(rows, "seconds", found->time.last - found->time.first);
    number(rows, "loss_first", found->loss.first);
    number(rows, "loss_last", found->loss.last);
    number(rows, "loss_least", found->loss.min);
    number(rows, "lr_least", found->lr.min);
    number(rows, "lr_most", found->lr.max);
    number(rows, "lr_last", found->lr.last);
    number(rows, "norm_p50", any ? whole->p50 : (double)NAN);
    number(rows, "norm_p99", any ? whole->p99 : (double)NAN);
    number(rows, "norm_largest", any ? series->total[found->largest] : (double)NAN);
    number(rows, "norm_largest_step", any ? (double)series->index[found->largest] : (double)NAN);
}

void info_fact_rows(struct rows *rows, const void *of)
{
    const struct info_found *found = of;
    const struct gtr_trace *trace = found->study->trace;

    rows_columns(rows, "fact value");
    put_file(rows, found);
    put_steps(rows, found);
    integer(rows, "captures", (int64_t)gtr_trace_n_captures(trace));
    integer(rows, "captures_dropped", (int64_t)gtr_trace_n_dropped(trace));
    integer(rows, "captured_tensors", (int64_t)found->captures.n_tensors);
    integer(rows, "captured_elements", (int64_t)found->captures.elements);
    integer(rows, "captured_bytes", (int64_t)found->captures.bytes);
}

/* --- groups and steps ------------------------------------------------------------------------- */

void info_group_rows(struct rows *rows, const void *of)
{
    const struct info_found *found = of;
    const struct gtr_groups *groups = found->study->groups;
    size_t j;

    rows_columns(rows, "group tensors elements share norm_p50 norm_max left_out");
    for (j = 0; j < groups->n_groups; j++) {
        rows_text(rows, groups->names[j]);
        rows_integer(rows, (int64_t)found->groups[j].n_tensors);
        rows_integer(rows, (int64_t)found->groups[j].n_elements);
        rows_number(rows, found->groups[j].share);
        rows_number(rows, found->norms[j].p50);
        rows_number(rows, found->groups[j].max);
        rows_integer(rows, j == groups->left_out);
    }
}

void info_step_rows(struct rows *rows, const void *of)
{
    const struct study *study = of;
    const struct gtr_step *steps = gtr_trace_steps(study->trace);
    size_t t;

    rows_columns(rows, "step loss lr time norm applied_scale skipped nonfinite");
    for (t = 0; t < study->series->n_steps; t++) {
        rows_integer(rows, steps[t].index);
        rows_number(rows, steps[t].loss);
        rows_number(rows, steps[t].lr);
        rows_number(rows, steps[t].time);
        rows_number(rows, study->series->total[t]);
        rows_number(rows, steps[t].applied_scale);
        rows_integer(rows, steps[t].skipped);
        rows_integer(rows, study->series->nonfinite[t]);
    }
}
