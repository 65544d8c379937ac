/* report_run.c - what was recorded. */
#include <math.h>

#include "report_write.h"
#include "tell.h"

/* --- tiles ----------------------------------------------------------------------------------- */

static void put_tiles(struct report *r)
{
    const struct study *study = &r->found->study;
    const struct gtr_series *series = study->series;
    const struct info_found *info = &r->found->info;
    const struct gtr_norm_summary *norm = &info->norms[series->n_groups];
    int64_t stride = gtr_trace_stride(study->trace);

    report_put(r, "<dl class=tiles>\n");
    SAY(r, "<div><dt>{}</dt><dd>{}<small>", said_text(stride > 1 ? "Rows" : "Steps"),
        said_count("steps", series->n_steps));
    SAY(r, series->n_steps > 1 ? "numbered {} to {}" : "number {}",
        said_step("first_step", series->index[0]),
        said_step("last_step", series->index[series->n_steps - 1]));
    if (stride > 1)
        SAY(r, ", one row in {} steps", said_count("stride", (uint64_t)stride));
    report_put(r, "</small></dd></div>\n");
    SAY(r, "<div><dt>Tensors</dt><dd>{}<small>", said_count("tensors", info->head->n_tensors));
    if (info->n_elements > 0)
        SAY(r, "{} element{}, ", said_count("elements", info->n_elements),
            said_text(tell_s(info->n_elements)));
    SAY(r, "{} <a class=term href=\"#term-group\">group{}</a></small></dd></div>\n",
        said_count("groups", series->n_groups), said_text(tell_s(series->n_groups)));
    if (info->largest < series->n_steps)
        SAY(r,
            "<div><dt>Gradient [norm|norm]</dt><dd>{}<small>median; largest {} at step "
            "{}</small></dd></div>\n",
            said_number("norm_median", norm->p50),
            said_number("norm_largest", series->total[info->largest]),
            said_step("norm_largest_step", series->index[info->largest]));
    if (info->loss.n > 0)
        SAY(r, "<div><dt>Loss at the end</dt><dd>{}<small>{} at first</small></dd></div>\n",
            said_number("loss_last", info->loss.last), said_number("loss_first", info->loss.first));
    report_put(r, "</dl>\n");
}

/* --- sentences ------------------------------------------------------------------------------- */

static void put_source(struct report *r)
{
    const struct study *study = &r->found->study;
    const struct gtr_head *head = r->found->info.head;

    SAY(r, "<p>The trace <code>{}</code> ", said_text(r->found->options->trace));
    if (json_object_object_get_ex(r->found->info.meta, "simulated", NULL)) /* its meta says so */
        report_put(r, "is <b>made up</b>: <code>gradtrace simulate</code> wrote it.  It ");
    SAY(r, "holds the norms of {} {}", said_count("tensors", head->n_tensors),
        said_text(head->n_tensors == 1 ? "tensor" : "tensors"));
    SAY(r, " at {} {}, grouped by <code>{}</code> into {} {}",
        said_count("steps", study->series->n_steps),
        said_text(study->series->n_steps == 1 ? "step" : "steps"), said_text(study->groups->rule),
        said_count("groups", study->series->n_groups),
        said_text(study->series->n_groups == 1 ? "group" : "groups"));
    if (gtr_trace_n_captures(study->trace) > 0)
        SAY(r, ", and elements of the gradients at {} of the steps",
            said_count("captures", gtr_trace_n_captures(study->trace)));
    report_put(r, ".");
    if (head->total_steps > 0 && (uint64_t)head->total_steps != study->series->n_steps)
        SAY(r, "  The run was planned for {} steps.",
            said_count("planned_steps", (uint64_t)head->total_steps));
    report_put(r, "</p>\n");
    if (r->found->clipped)
        report_put(r, "<p class=caution><b>These norms were recorded after the run had clipped "
                      "them.</b>  What follows is about what was left: a second clipping, not "
                      "the first.  Record before clipping to see the norms as they came.</p>\n");
}

/* Did the run itself clip? */
static void put_own_clipping(struct report *r)
{
    const struct info_range *scale = &r->found->info.scale;
    size_t clipped = r->found->info.n_clipped;
    double limit = study_own_limit(r->found->info.head->meta);

    if (scale->n > 0 && clipped > 0) {
        SAY(r, "The run itself clipped {} of {} steps ({})", said_count("run_clipped", clipped),
            said_count("run_scale_known", scale->n),
            said_share("run_clip_rate", (double)clipped / (double)scale->n));
        if (limit > 0.0)
            SAY(r, " to a limit of {}", said_limit("run_limit", limit));
        SAY(r, "; the hardest left {} of the gradient.", said_share("run_scale_least", scale->min));
    } else if (scale->n > 0) {
        report_put(r, "The run itself did not clip: it scaled no step down");
        if (limit > 0.0)
            SAY(r, ", though its settings name a limit of {}", said_limit("run_limit", limit));
        report_put(r, ".");
    } else if (limit > 0.0) {
        SAY(r,
            "The run&#39;s settings name a limit of {}; what it did at each step was not "
            "recorded.",
            said_limit("run_limit", limit));
    } else {
        report_put(r, "Whether the run itself clipped was not recorded.");
    }
}

static void put_state(struct report *r)
{
    const struct gtr_series *series = r->found->study.series;
    const struct gtr_norm_summary *norm = &r->found->info.norms[series->n_groups];

    report_put(r, "<p>");
    put_own_clipping(r);
    if (!r->found->no_decisions && series->n_steps > 1)
        SAY(r, "  Half of the gradients had a norm above {}, one in a hundred above {}.",
            said_number("norm_median", norm->p50), said_number("norm_p99", norm->p99));
    if (series->n_nonfinite > 0)
        SAY(r, "  At {} {} of the gradient was NaN or infinite.",
            said_count("nonfinite_steps", series->n_nonfinite),
            said_text(series->n_nonfinite == 1 ? "step some element" : "steps some element"));
    if (r->found->no_decisions)
        report_put(r, "  <b>All steps are left out for that reason, so no policy had anything "
                      "to decide.</b>");
    report_put(r, "</p>\n");
    if (r->found->info.loss.n == 0)
        report_put(r, "<p class=soft>The loss was not recorded.</p>\n");
}

/* --- the groups ------------------------------------------------------------------------------ */

static void put_groups(struct report *r)
{
    static const struct report_column columns[] = {
        { "group", "Group", SAID_NAME, false },
        { "tensors", "Tensors", SAID_COUNT, false },
        { "elements", "Elements", SAID_COUNT, false },
        { "norm_p50", "Median norm", SAID_NUMBER, false },
        { "norm_p99", "99th percentile", SAID_NUMBER, false },
        { "tail", "[tail|Tail]", SAID_TIMES, false },
        { "energy_share", "Of the squared norm", SAID_SHARE, false },
    };
    const struct info_found *info = &r->found->info;
    const struct gtr_series *series = r->found->study.series;
    struct report_table table;
    size_t g;

    report_table_begin(&table, r, "groups", "The groups: how large their gradients were.", columns,
                       GTR_ARRAY_LEN(columns));
    table.most = 24;
    for (g = 0; g < series->n_groups; g++) {
        const struct info_group *group = &info->groups[g];

        report_cell_text(&table, series->names[g]);
        report_cell(&table, (double)group->n_tensors);
        report_cell(&table, group->n_elements > 0 ? (double)group->n_elements : (double)NAN);
        report_cell(&table, info->norms[g].p50);
        report_cell(&table, info->norms[g].p99);
        report_cell(&table, info->norms[g].tail);
        report_cell(&table, info->energy > 0.0 ? group->share : (double)NAN);
    }
    report_table_end(&table);
}

void report_run(struct report *r)
{
    bool loss = r->found->info.loss.n > 0;

    report_section(r, "run", "1. What was recorded");
    put_tiles(r);
    put_source(r);
    put_state(r);
    report_figure(r, "norms",
                  loss ? "Norm of each group&#39;s gradient over the run (upper part, dotted: "
                         "the whole gradient) and the loss (lower part).  Look for spikes, for "
                         "a group that stands far above the others, and for what the loss does "
                         "after them."
                       : "Norm of each group&#39;s gradient over the run (dotted: the whole "
                         "gradient).  Look for spikes, and for a group that stands far above "
                         "the others.");
    put_groups(r);
}
