/* logbook_series.c - which of a log's names are series, and what they are called.
 *
 * Series are the names that matched a glob of the lowest rank that matched anything: where a log
 * has grad_norm/q_proj, its train/grad_norm is something else.  They are called what is left of
 * the name without what the glob says literally (grad_norm/q_proj -> q_proj).
 */
#include "logbook.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

unsigned gtr_log_rank(const struct gtr_log *log, const struct gtr_log_name *name)
{
    return name->glob < log->globs.n_globs ? log->globs.globs[name->glob].rank : UINT_MAX;
}

static bool is_series(const struct gtr_log_name *name)
{
    return name->used && name->glob != GTR_LOG_NOT_SERIES;
}

/* The lowest rank of a series, and whether all series of this rank are whole gradients. */
static unsigned best_rank(const struct gtr_log *log, bool *wholes)
{
    unsigned best = UINT_MAX;
    size_t i;

    *wholes = true;
    for (i = 0; i < log->names.n_names; i++)
        if (is_series(&log->about[i]) && gtr_log_rank(log, &log->about[i]) < best)
            best = gtr_log_rank(log, &log->about[i]);
    for (i = 0; i < log->names.n_names; i++)
        if (is_series(&log->about[i]) && gtr_log_rank(log, &log->about[i]) == best &&
            gtr_log_is_part(gtr_names_text(&log->names, (uint32_t)i)))
            *wholes = false;
    return best;
}

/* Numbers the series; others get no place.  A whole gradient's norm of a higher rank, as grad_norm
 * beside actor/grad_norm, may be that of another whole: it is not passed over in silence. */
static void choose_series(struct gtr_log *log)
{
    size_t i, n = 0;
    bool wholes;
    unsigned best = best_rank(log, &wholes);

    for (i = 0; i < log->names.n_names; i++) {
        struct gtr_log_name *name = &log->about[i];
        const char *text = gtr_names_text(&log->names, (uint32_t)i);

        name->place = GTR_LOG_NOT_SERIES;
        if (!is_series(name) || gtr_globs_level(gtr_log_rank(log, name)) != gtr_globs_level(best) ||
            (gtr_log_rank(log, name) != best && (!wholes || gtr_log_is_part(text))))
            continue;
        name->place = (uint32_t)n++;
        name->was_series = true;
        if (name->glob < log->globs.n_globs && log->globs.globs[name->glob].squares)
            log->summary.squares = true;
    }
    log->summary.n_series = n;
}

/* As export names the series, whatever their names are. */
static bool starts_with_ours(const char *name)
{
    return strncmp(name, "grad_norm/", 10) == 0 || strncmp(name, "grad_sumsq/", 11) == 0;
}

/* A copy of the name without the glob's literal beginning and end. */
static char *stripped(const struct gtr_log *log, const char *text, const char *pattern)
{
    size_t n = strlen(text), before = strcspn(pattern, "*?[\\"), length = strlen(pattern), after;
    char *copy;

    if (before == length)
        return gtr_strdup(text); /* no wildcard: the glob is the name */
    for (after = 0; strchr("*?[]\\", pattern[length - 1 - after]) == NULL;)
        after++;
    /* A bracket's end is not literal text.  One series alone keeps its end, which says what it
     * is: train/grad_norm is not "train". */
    if (strchr("*?", pattern[length - 1 - after]) == NULL || log->summary.n_series < 2)
        after = 0;
    /* Alone, l2_norm/grad/global is no part called global. */
    if (before + after > n ||
        (log->summary.n_series == 1 && !starts_with_ours(text) && gtr_log_is_total(text + before)))
        return gtr_strdup(text);
    copy = gtr_alloc(n - before - after + 1, 1);
    if (copy != NULL)
        memcpy(copy, text + before, n - before - after);
    return copy;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True if no name is empty and no two are equal. */
static enum gtr_code all_differ(char *const *series, size_t n, bool *differ, struct gtr_err *err)
{
    char **sorted = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&sorted, n, sizeof *sorted, "names", err);
    if (rc != GTR_OK)
        return rc;
    for (i = 0; i < n; i++)
        sorted[i] = series[i];
    qsort(sorted, n, sizeof *sorted, by_text);
    *differ = n == 0 || *sorted[0] != '\0';
    for (i = 1; i < n && *differ; i++)
        *differ = strcmp(sorted[i - 1], sorted[i]) != 0;
    gtr_free(sorted);
    return GTR_OK;
}

static enum gtr_code copy_names(struct gtr_log *log, bool strip, struct gtr_err *err)
{
    size_t i;

    for (i = 0; i < log->names.n_names; i++) {
        const struct gtr_log_name *name = &log->about[i];
        const char *text = gtr_names_text(&log->names, (uint32_t)i);

        if (name->place == GTR_LOG_NOT_SERIES)
            continue;
        gtr_free(log->series[name->place]);
        log->series[name->place] = strip && gtr_log_rank(log, name) < GTR_GLOB_OF_PARTS
                                       ? stripped(log, text, log->globs.globs[name->glob].pattern)
                                       : gtr_strdup(text);
        if (log->series[name->place] == NULL)
            return gtr_fail(err, GTR_ENOMEM, "no memory for names");
    }
    return GTR_OK;
}

static enum gtr_code name_series(struct gtr_log *log, struct gtr_err *err)
{
    bool differ = false;
    enum gtr_code rc;

    rc = gtr_alloc_for(&log->series, log->summary.n_series, sizeof *log->series, "series", err);
    if (rc == GTR_OK)
        rc = copy_names(log, log->strip, err);
    if (rc == GTR_OK && log->strip)
        rc = all_differ(log->series, log->summary.n_series, &differ, err);
    if (rc == GTR_OK && log->strip && !differ)
        rc = copy_names(log, false, err);
    return rc;
}

void gtr_log_renumber(struct gtr_log *log)
{
    struct gtr_log_summary *summary = &log->summary;
    size_t i, kept = 0, n_seen = 0;

    /* Places rise with the names, so that the i-th string is the i-th name's that had one. */
    for (i = 0; i < log->names.n_names; i++) {
        struct gtr_log_name *name = &log->about[i];

        if (name->was_series) {
            char *text = log->series[n_seen];

            log->series[n_seen++] = NULL;
            name->was_series = name->place != GTR_LOG_NOT_SERIES;
            if (!name->was_series) {
                gtr_free(text);
                continue;
            }
            name->place = (uint32_t)kept;
            log->series[kept++] = text;
        }
    }
    summary->n_series = kept;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

/* Are these a framework's parameters, which the usual rules can group? */
static bool are_parameters(const struct gtr_log *log)
{
    size_t i;

    for (i = 0; i < log->summary.n_series; i++) {
        const char *name = log->series[i], *dot = strchr(name, '.');

        if (ends_with(name, ".weight") || ends_with(name, ".bias"))
            return true;
        if (!log->modules && dot != NULL && strchr(dot + 1, '.') != NULL)
            return true;
    }
    return false;
}

enum gtr_code gtr_log_choose(struct gtr_log *log, struct gtr_err *err)
{
    enum gtr_code rc;

    choose_series(log);
    rc = name_series(log, err);
    if (rc != GTR_OK)
        return rc;
    rc = gtr_log_drop_by_name(log, err);
    log->summary.parameters = are_parameters(log);
    return rc;
}
