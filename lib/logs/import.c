/* import.c - reading a log: which format it is, and what follows once it is read. */
#include "import.h"

#include <string.h>

#include "alloc.h"
#include "columns.h"
#include "lines.h"
#include "logbook.h"

static enum gtr_code start(const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log, struct gtr_err *err)
{
    enum gtr_code rc;

    rc = gtr_alloc_for(log, 1, sizeof **log, "log", err);
    if (rc != GTR_OK)
        return rc;
    (*log)->repeats = options->repeats;
    (*log)->name = gtr_strdup(name);
    return (*log)->name != NULL ? GTR_OK : gtr_fail(err, GTR_ENOMEM, "%s: no memory", name);
}

static enum gtr_code choose_globs(struct gtr_log *log, const char *keys,
                                  const struct gtr_columns *columns, struct gtr_err *err)
{
    const char *series = columns->given[GTR_ROLE_SERIES];

    if (keys != NULL && series != NULL)
        return gtr_fail(err, GTR_EUSAGE, "--columns series=%.60s: --keys is given too; give one",
                        series);
    return gtr_globs_parse(keys != NULL ? keys : series, false, &log->globs, err);
}

/* An object opens each line of JSON lines, and no table's header. */
static enum gtr_log_format format_of(const struct gtr_lines *lines, enum gtr_log_format asked)
{
    char first = *gtr_lines_trimmed(lines);

    if (asked != GTR_LOG_AUTO)
        return asked;
    return first == '{' || first == '[' ? GTR_LOG_JSONL : GTR_LOG_CSV;
}

static enum gtr_code read_lines(struct gtr_log *log, struct gtr_lines *lines,
                                enum gtr_log_format asked, const struct gtr_columns *columns,
                                struct gtr_err *err)
{
    enum gtr_log_format format;
    enum gtr_code rc;
    bool more;

    rc = gtr_lines_next_meaning(lines, &more, err);
    if (rc != GTR_OK)
        return rc;
    if (!more)
        return gtr_fail(err, GTR_EFORMAT, "%s: is empty", log->name);
    if (strncmp(lines->text, "\x89HDF", 4) == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: an HDF5 file; a trace needs no import", log->name);
    lines->again = true;
    format = format_of(lines, asked);
    if (format != GTR_LOG_JSONL)
        return gtr_log_read_table(log, lines, format == GTR_LOG_TSV ? '\t' : '\0', columns, err);
    return gtr_log_read_jsonl(log, lines, columns, err);
}

enum gtr_code gtr_log_read(FILE *f, const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log_out, struct gtr_err *err)
{
    struct gtr_columns columns = { 0 };
    struct gtr_lines lines;
    struct gtr_log *log = NULL;
    enum gtr_code rc;

    *log_out = NULL;
    gtr_lines_init(&lines, f, name);
    rc = start(name, options, &log, err);
    if (rc == GTR_OK)
        rc = gtr_columns_parse(options->columns, &columns, err);
    if (rc == GTR_OK)
        rc = choose_globs(log, options->keys, &columns, err);
    if (rc == GTR_OK)
        rc = read_lines(log, &lines, options->format, &columns, err);
    if (rc == GTR_OK)
        rc = gtr_log_choose(log, err);
    if (rc == GTR_OK)
        rc = gtr_log_order(log, err);
    if (rc != GTR_OK)
        goto out;
    *log_out = log;
    log = NULL;
out:
    gtr_log_free(log);
    gtr_columns_free(&columns);
    gtr_lines_free(&lines);
    return rc;
}

const struct gtr_log_summary *gtr_log_summary(const struct gtr_log *log)
{
    return &log->summary;
}

const char *gtr_log_series_name(const struct gtr_log *log, size_t series)
{
    return log->series[series];
}

const struct gtr_step *gtr_log_steps(const struct gtr_log *log)
{
    return log->steps;
}
