/* logbook.c - collecting names, cells and rows. */
#include "logbook.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

/* Bytes of one well-formed UTF-8 character that is not a control character, else 0. */
static size_t character(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4, i;

    if (n == 0 || s[0] > 0xf4 || s[0] < 0x20 || s[0] == 0x7f)
        return 0;
    for (i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* Longer than needed, a surrogate, or beyond the last character. */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

/* Bytes of text at the start of `name`. */
static size_t text_length(const char *name)
{
    size_t n, step;

    for (n = 0; name[n] != '\0'; n += step) {
        step = character((const unsigned char *)name + n);
        if (step == 0)
            break;
    }
    return n;
}

/* What is no text is not shown: it could be an escape sequence. */
static enum gtr_code check_name(const struct gtr_log *log, const char *name, uint64_t line,
                                struct gtr_err *err)
{
    size_t length = strlen(name), n = text_length(name);

    if (n < length)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s:%llu: name %.*s: byte %zu is a control character or not UTF-8",
                        log->name, (unsigned long long)line, n < 60 ? (int)n : 60, name, n + 1);
    if (n > GTR_LOG_NAME_MAX)
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: a name of %zu bytes (%.40s...); at most %d",
                        log->name, (unsigned long long)line, n, name, GTR_LOG_NAME_MAX);
    return GTR_OK;
}

bool gtr_log_name_is_text(const char *name)
{
    size_t n = text_length(name);

    return name[n] == '\0' && n <= GTR_LOG_NAME_MAX;
}

enum gtr_code gtr_log_intern(struct gtr_log *log, const char *name, uint32_t glob, uint64_t line,
                             uint32_t *number, bool *added, struct gtr_err *err)
{
    enum gtr_code rc;

    *number = gtr_names_find(&log->names, name);
    *added = *number == GTR_NAMES_NONE;
    if (!*added)
        return GTR_OK;
    rc = check_name(log, name, line, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&log->about, &log->about_capacity, log->names.n_names + 1, sizeof *log->about,
                      err);
    if (rc == GTR_OK)
        rc = gtr_names_add(&log->names, name, number, err);
    if (rc == GTR_OK)
        log->about[*number] = (struct gtr_log_name){ .glob = glob };
    return rc;
}

/* Cells after the last ended row are those of the row under way. */
static size_t cells_before(const struct gtr_log *log)
{
    return log->n_rows > 0 ? log->rows[log->n_rows - 1].first + log->rows[log->n_rows - 1].n : 0;
}

enum gtr_code gtr_log_add(struct gtr_log *log, uint32_t owner, double value, struct gtr_err *err)
{
    enum gtr_code rc;

    rc = gtr_grow(&log->values, &log->values_capacity, log->n_cells + 1, sizeof *log->values, err);
    if (rc == GTR_OK)
        rc = gtr_grow(&log->owners, &log->owners_capacity, log->n_cells + 1, sizeof *log->owners,
                      err);
    if (rc != GTR_OK)
        return rc;
    log->values[log->n_cells] = value;
    log->owners[log->n_cells++] = owner;
    if (owner < log->names.n_names)
        log->about[owner].used = true;
    return GTR_OK;
}

enum gtr_code gtr_log_end_row(struct gtr_log *log, int64_t step, uint64_t line, struct gtr_err *err)
{
    size_t first = cells_before(log);
    enum gtr_code rc;

    rc = gtr_grow(&log->rows, &log->rows_capacity, log->n_rows + 1, sizeof *log->rows, err);
    if (rc != GTR_OK)
        return rc;
    log->rows[log->n_rows++] =
        (struct gtr_log_line){ .step = step,
                               .first = first,
                               .n = (uint32_t)(log->n_cells - first),
                               .line = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX };
    return GTR_OK;
}

void gtr_log_drop_row(struct gtr_log *log)
{
    log->n_cells = cells_before(log);
}

enum gtr_code gtr_log_use(struct gtr_log *log, enum gtr_role role, const char *column,
                          struct gtr_err *err)
{
    if (log->used[role] != NULL)
        return GTR_OK;
    log->used[role] = gtr_strdup(column);
    return log->used[role] != NULL ? GTR_OK : gtr_fail(err, GTR_ENOMEM, "no memory for a name");
}

/* Only for the record, so that a name which cannot be kept is no error. */
void gtr_log_ignore(struct gtr_log *log, const char *column)
{
    if (*column == '\0' || log->n_ignored == GTR_LOG_IGNORED_MAX || !gtr_log_name_is_text(column))
        return;
    log->ignored[log->n_ignored] = gtr_strdup(column);
    if (log->ignored[log->n_ignored] != NULL)
        log->n_ignored++;
}

void gtr_log_saw(struct gtr_log *log, const char *name)
{
    struct gtr_err err = { 0 };
    uint32_t number;

    /* Only to tell who wrote the log: without memory that stays unknown. */
    if (log->seen.n_names < GTR_LOG_SEEN_MAX && gtr_names_find(&log->seen, name) == GTR_NAMES_NONE)
        (void)gtr_names_add(&log->seen, name, &number, &err);
}

enum gtr_code gtr_log_leave_out(struct gtr_log *log, uint32_t name, const char *why,
                                struct gtr_err *err)
{
    struct gtr_log_summary *summary = &log->summary;
    enum gtr_code rc;

    rc = gtr_grow(&log->left_out, &log->left_out_capacity, summary->n_left_out + 1,
                  sizeof *log->left_out, err);
    if (rc != GTR_OK)
        return rc;
    log->left_out[summary->n_left_out++] =
        (struct gtr_log_left_out){ .name = gtr_names_text(&log->names, name), .why = why };
    log->about[name].place = GTR_LOG_NOT_SERIES;
    return GTR_OK;
}

/* --- steps ----------------------------------------------------------------------------------- */

enum gtr_code gtr_log_count_row(struct gtr_log *log, int64_t *step, struct gtr_err *err)
{
    int64_t every = log->every > 0 ? log->every : 1;

    log->n_counted++;
    log->summary.counted = true;
    if (__builtin_mul_overflow(every, log->n_counted, step))
        return gtr_fail(err, GTR_EUSAGE, "--every %lld: row %lld has no number any more",
                        (long long)every, (long long)log->n_counted);
    return GTR_OK;
}

enum gtr_code gtr_log_place_row(struct gtr_log *log, double epoch, uint64_t line, int64_t *step,
                                struct gtr_err *err)
{
    if (log->every > 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s:%llu: --every: this row has a step, %lld; --every is for logs whose "
                        "rows have none",
                        log->name, (unsigned long long)line, (long long)*step);
    if (!isnan(epoch) && epoch > log->last.epoch && *step <= log->last.step && log->last.step > 0) {
        if (__builtin_add_overflow(log->last.offset, log->last.step, &log->last.offset))
            return gtr_fail(err, GTR_EFORMAT, "%s:%llu: step %lld: too large", log->name,
                            (unsigned long long)line, (long long)*step);
        log->summary.n_restarts++;
    }
    if (!isnan(epoch)) {
        log->last.epoch = epoch;
        log->last.step = *step;
    }
    if (__builtin_add_overflow(*step, log->last.offset, step))
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: step %lld: too large", log->name,
                        (unsigned long long)line, (long long)log->last.step);
    return GTR_OK;
}

enum gtr_code gtr_log_take_globs(struct gtr_log *log, const struct gtr_columns *columns,
                                 struct gtr_err *err)
{
    const char *sumsq = columns->given[GTR_ROLE_SUMSQ];
    const char *said = sumsq != NULL ? sumsq : columns->given[GTR_ROLE_NORM];

    if (said == NULL)
        return GTR_OK;
    if (log->globs.chosen)
        return gtr_fail(err, GTR_EUSAGE, "--columns %s=%.60s: --keys is given too; give one",
                        sumsq != NULL ? "sumsq" : "norm", said);
    gtr_globs_free(&log->globs);
    return gtr_globs_parse(said, sumsq != NULL, &log->globs, err);
}

bool gtr_log_step_from(double value, int64_t *step)
{
    if (!(fabs(value) <= 9007199254740992.0) || value != rint(value)) /* 2^53: exact until there */
        return false;
    *step = (int64_t)value;
    return true;
}

bool gtr_log_step_parse(const char *text, int64_t *step)
{
    double value;

    if (gtr_text_integer(text, step))
        return true;
    return gtr_text_number(text, &value) && gtr_log_step_from(value, step);
}

void gtr_log_free(struct gtr_log *log)
{
    size_t i;

    if (log == NULL)
        return;
    for (i = 0; i < GTR_ROLE_COUNT; i++)
        gtr_free(log->used[i]);
    for (i = 0; i < log->n_ignored; i++)
        gtr_free(log->ignored[i]);
    for (i = 0; log->series != NULL && i < log->summary.n_series; i++)
        gtr_free(log->series[i]);
    gtr_globs_free(&log->globs);
    gtr_free(log->name);
    gtr_names_free(&log->names);
    gtr_names_free(&log->seen);
    gtr_free(log->left_out);
    gtr_free(log->about);
    for (i = 0; i < GTR_ARRAY_LEN(log->more); i++)
        gtr_free(log->more[i].values);
    gtr_free(log->values);
    gtr_free(log->owners);
    gtr_free(log->rows);
    gtr_free(log->series);
    gtr_free(log->steps);
    gtr_free(log->first_row);
    gtr_free(log);
}
