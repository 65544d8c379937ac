/* import_write.c - a log in memory as a trace on disk. */
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "log_more.h"
#include "groups.h"
#include "logbook.h"
#include "policy.h"

/* --- what the trace remembers of the log ------------------------------------------------------ */

static bool put(struct json_object *object, const char *key, struct json_object *value)
{
    if (value != NULL && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static struct json_object *columns_json(const struct gtr_log *log)
{
    struct json_object *columns = json_object_new_object();
    bool ok = columns != NULL;
    size_t i;

    for (i = 0; ok && i < GTR_ROLE_COUNT; i++)
        if (log->used[i] != NULL)
            ok =
                put(columns, gtr_role_name((enum gtr_role)i), json_object_new_string(log->used[i]));
    if (ok)
        return columns;
    json_object_put(columns);
    return NULL;
}

/* The names that `name_of` gives for 0 to n - 1. */
static struct json_object *names_json(const struct gtr_log *log, size_t n,
                                      const char *(*name_of)(const struct gtr_log *log, size_t i))
{
    struct json_object *list = json_object_new_array();
    bool ok = list != NULL;
    size_t i;

    for (i = 0; ok && i < n; i++) {
        struct json_object *name = json_object_new_string(name_of(log, i));

        ok = name != NULL && json_object_array_add(list, name) == 0;
        if (!ok)
            json_object_put(name);
    }
    if (ok)
        return list;
    json_object_put(list);
    return NULL;
}

static const char *ignored(const struct gtr_log *log, size_t i)
{
    return log->ignored[i];
}

static const char *left_out(const struct gtr_log *log, size_t i)
{
    return log->left_out[i].name;
}

static struct json_object *log_json(const struct gtr_log *log, double max_norm)
{
    const struct gtr_log_summary *summary = &log->summary;
    size_t most =
        summary->n_left_out < GTR_LOG_IGNORED_MAX ? summary->n_left_out : GTR_LOG_IGNORED_MAX;
    const char *slash = strrchr(log->name, '/');
    const char *name = slash != NULL ? slash + 1 : log->name;
    struct json_object *meta = json_object_new_object();
    bool ok = meta != NULL;

    if (ok && gtr_log_name_is_text(name))
        ok = put(meta, "imported_from", json_object_new_string(name));
    ok = ok && put(meta, "format", json_object_new_string(summary->format));
    if (summary->writer != NULL)
        ok = ok && put(meta, "written_by", json_object_new_string(summary->writer));
    if (summary->norm_of != NULL)
        ok = ok && put(meta, "norms_of", json_object_new_string(summary->norm_of));
    ok = ok && put(meta, "columns", columns_json(log));
    if (log->n_ignored > 0)
        ok = ok && put(meta, "not_imported", names_json(log, log->n_ignored, ignored));
    if (summary->n_left_out > 0)
        ok = ok && put(meta, "left_out", names_json(log, most, left_out));
    ok = ok &&
         put(meta, "known", json_object_new_string(summary->squares ? "sums of squares" : "norms"));
    if (summary->n_missing > 0)
        ok = ok && put(meta, "missing_norms", json_object_new_int64((int64_t)summary->n_missing));
    if (max_norm > 0.0)
        ok = ok && put(meta, "max_grad_norm", json_object_new_double(max_norm));
    if (ok)
        return meta;
    json_object_put(meta);
    return NULL;
}

static enum gtr_code set_meta(const struct gtr_log *log, double max_norm, struct gtr_head *head,
                              struct gtr_err *err)
{
    struct json_object *meta = log_json(log, max_norm);
    const char *text = meta != NULL
                           ? json_object_to_json_string_ext(
                                 meta, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                           : NULL;
    enum gtr_code rc;

    rc = text != NULL ? gtr_head_set(&head->meta, text, err)
                      : gtr_fail(err, GTR_ENOMEM, "%s: no memory for its description", log->name);
    json_object_put(meta);
    return rc;
}

/* --- the trace ------------------------------------------------------------------------------- */

/* What the user says goes before what is known of the log's writer. */
static const char *grad_state_of(const struct gtr_log *log, const struct gtr_log_facts *facts)
{
    return facts->grad_state != NULL ? facts->grad_state : log->summary.grad_state;
}

/* Norms from after clipping no longer tell what the clipping did. */
static enum gtr_code check_limit(const struct gtr_log *log, const struct gtr_log_facts *facts,
                                 struct gtr_err *err)
{
    const char *state = grad_state_of(log, facts);

    if (facts->max_norm > 0.0 && state != NULL && strcmp(state, "post-clip") == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "--max-norm: these norms are post-clip, from which the factor that the run "
                        "applied cannot be had");
    return GTR_OK;
}

/* The factor that a run with this limit applied: torch.nn.utils.clip_grad_norm_ with its
 * eps of 1e-6.  A step whose norm is not finite has none. */
static double applied_scale(double max_norm, const double *sumsq, const uint64_t *nonfinite,
                            size_t n)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (nonfinite[i] > 0)
            return NAN;
        sum += sumsq[i];
    }
    return gtr_clip_ratio(max_norm, sqrt(sum), 1e-6);
}

static enum gtr_code set_head(const struct gtr_log *log, const struct gtr_log_facts *facts,
                              struct gtr_head *head, struct gtr_err *err)
{
    const char *grad_state = grad_state_of(log, facts), *group_by = facts->group_by;
    uint64_t *numel = NULL;
    enum gtr_code rc;
    size_t i;

    if (group_by == NULL && !log->summary.parameters)
        group_by = "tensor";
    rc = set_meta(log, facts->max_norm, head, err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->group_by, group_by, err);
    if (rc == GTR_OK && grad_state != NULL)
        rc = gtr_head_set(&head->grad_state, grad_state, err);
    head->total_steps = facts->total_steps > 0 ? facts->total_steps : log->summary.total_steps;
    if (rc == GTR_OK)
        rc = gtr_log_numel(log, &numel, err);
    for (i = 0; rc == GTR_OK && i < log->summary.n_series; i++)
        rc = gtr_head_add_tensor(head, log->series[i], "", numel[i], GTR_F32, err);
    gtr_free(numel);
    return rc;
}

/* A rule that does not parse is told now, not at the first replay. */
static enum gtr_code check_rule(const struct gtr_head *head, struct gtr_err *err)
{
    struct gtr_groups *groups = NULL;
    enum gtr_code rc = gtr_groups_new(head->group_by, head, &groups, err);

    gtr_groups_free(groups);
    return rc;
}

/* The numbers of a step, [n_series] each. */
struct row {
    double *sumsq, *values;
    double *param_sumsq; /* NULL if the log has no weights */
    float *maxabs;
    uint64_t *nonfinite, *nan;
};

static enum gtr_code row_new(const struct gtr_log *log, struct row *row, struct gtr_err *err)
{
    size_t n = log->summary.n_series;
    enum gtr_code rc = gtr_alloc_for(&row->sumsq, n, sizeof *row->sumsq, "series", err);

    if (rc == GTR_OK)
        rc = gtr_alloc_for(&row->values, n, sizeof *row->values, "series", err);
    if (rc == GTR_OK && gtr_log_has_more(log, GTR_ROLE_WEIGHT))
        rc = gtr_alloc_for(&row->param_sumsq, n, sizeof *row->param_sumsq, "series", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&row->maxabs, n, sizeof *row->maxabs, "series", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&row->nonfinite, n, sizeof *row->nonfinite, "series", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&row->nan, n, sizeof *row->nan, "series", err);
    return rc;
}

static void row_free(struct row *row)
{
    gtr_free(row->sumsq);
    gtr_free(row->values);
    gtr_free(row->param_sumsq);
    gtr_free(row->maxabs);
    gtr_free(row->nonfinite);
    gtr_free(row->nan);
}

static void fill_row(const struct gtr_log *log, size_t t, struct row *row)
{
    size_t n = log->summary.n_series, i;

    gtr_log_row(log, t, row->sumsq, row->nonfinite);
    gtr_log_nan(log, t, row->nan);
    for (i = 0; i < n; i++)
        row->values[i] = (double)NAN;
    if (gtr_log_has_more(log, GTR_ROLE_MAXABS))
        gtr_log_more(log, t, GTR_ROLE_MAXABS, row->values);
    for (i = 0; i < n; i++)
        row->maxabs[i] = (float)row->values[i];
    if (row->param_sumsq == NULL)
        return;
    gtr_log_more(log, t, GTR_ROLE_WEIGHT, row->param_sumsq);
    for (i = 0; i < n; i++) /* no norm of the gradient, none of the weights */
        row->param_sumsq[i] =
            isnan(row->param_sumsq[i]) ? 0.0 : row->param_sumsq[i] * row->param_sumsq[i];
}

static enum gtr_code write_rows(const struct gtr_log *log, double max_norm, bool nan_counts,
                                struct gtr_writer *writer, struct gtr_err *err)
{
    struct row row = { 0 };
    enum gtr_code rc = row_new(log, &row, err);
    size_t t;

    for (t = 0; rc == GTR_OK && t < log->summary.n_steps; t++) {
        struct gtr_step step = log->steps[t];

        fill_row(log, t, &row);
        if (max_norm > 0.0)
            step.applied_scale =
                applied_scale(max_norm, row.sumsq, row.nonfinite, log->summary.n_series);
        if (nan_counts)
            rc = gtr_writer_nan(writer, row.nan, err);
        if (rc == GTR_OK)
            rc = gtr_writer_append(writer, &step, row.sumsq, row.maxabs, row.nonfinite,
                                   row.param_sumsq, err);
    }
    row_free(&row);
    return rc;
}

enum gtr_code gtr_log_write(const struct gtr_log *log, const char *path,
                            const struct gtr_log_facts *facts, struct gtr_err *err)
{
    const struct gtr_writer_options options = {
        .size = sizeof options,
        .force = facts->force,
        .param_norms = gtr_log_has_more(log, GTR_ROLE_WEIGHT),
        .nan_counts = log->summary.n_nonfinite + log->summary.n_large > 0,
    };
    struct gtr_writer *writer = NULL;
    struct gtr_head head;
    enum gtr_code rc;

    rc = check_limit(log, facts, err);
    if (rc == GTR_OK)
        rc = gtr_head_init(&head, err);
    if (rc != GTR_OK)
        return rc;
    rc = set_head(log, facts, &head, err);
    if (rc == GTR_OK)
        rc = check_rule(&head, err);
    if (rc == GTR_OK)
        rc = gtr_writer_open(path, &head, &options, &writer, err);
    if (rc == GTR_OK)
        rc = write_rows(log, facts->max_norm, options.nan_counts, writer, err);
    if (rc != GTR_OK)
        goto out;
    rc = gtr_writer_close(writer, err);
    writer = NULL;
out:
    gtr_writer_abandon(writer);
    gtr_head_free(&head);
    return rc;
}
