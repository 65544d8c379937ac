/* import.c - reading a log: which format it is, and what follows once it is read. */
#define _GNU_SOURCE
#include "import.h"

#include <math.h>
#include <string.h>

#include "alloc.h"
#include "columns.h"
#include "formats.h"
#include "lines.h"
#include "logbook.h"
#include "text.h"
#include "writers.h"

/* --- options ---------------------------------------------------------------------------------- */

static enum gtr_code start(const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log, struct gtr_err *err)
{
    enum gtr_code rc;

    rc = gtr_alloc_for(log, 1, sizeof **log, "log", err);
    if (rc != GTR_OK)
        return rc;
    (*log)->repeats = options->repeats;
    (*log)->every = options->every;
    (*log)->last.epoch = NAN;
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

static const struct gtr_log_format *find_format(const char *name)
{
    size_t i;

    for (i = 0; i < gtr_log_n_formats; i++)
        if (strcmp(gtr_log_formats[i].name, name) == 0)
            return &gtr_log_formats[i];
    return NULL;
}

static enum gtr_code take_format(struct gtr_log_source *source, const char *name,
                                 struct gtr_err *err)
{
    if (source->pattern != NULL) {
        if (name != NULL && strcmp(name, "pattern") != 0)
            return gtr_fail(err, GTR_EUSAGE, "--pattern: --format %.40s is given too; give one",
                            name);
        source->format = find_format("pattern");
        return gtr_pattern_check(source->pattern, err);
    }
    if (name == NULL)
        return GTR_OK;
    source->format = find_format(name);
    if (source->format == NULL)
        return gtr_fail(err, GTR_EUSAGE, "--format %.40s: no such format", name);
    if (source->format->read == gtr_log_read_console && source->format->cut == NULL)
        return gtr_fail(err, GTR_EUSAGE,
                        "--format pattern: say which: --pattern 'step {step} {} "
                        "norm {norm}'");
    return GTR_OK;
}

/* --- what does it look like? ------------------------------------------------------------------ */

/* Files that people may take for logs. */
static enum gtr_code check_magic(const char *name, const char *bytes, size_t n, struct gtr_err *err)
{
    static const struct {
        const char *magic;
        size_t n;
        const char *what;
    } kinds[] = {
        { "\x89HDF", 4, "an HDF5 file; a trace needs no import" },
        { "\x1f\x8b", 2, "compressed by gzip: gunzip it, or pipe zcat into import -" },
        { "\x28\xb5\x2f\xfd", 4, "compressed by zstd: unzstd it first" },
        { "PK\x03\x04", 4, "a zip archive, as checkpoints and npz are; no log" },
        { "SQLite format 3", 15, "a database; write the norms as CSV first" },
        { "PAR1", 4, "Parquet; write it as CSV first, pandas.read_parquet(...).to_csv(...)" },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(kinds); i++)
        if (n >= kinds[i].n && memcmp(bytes, kinds[i].magic, kinds[i].n) == 0)
            return gtr_fail(err, GTR_EFORMAT, "%s: %s", name, kinds[i].what);
    return GTR_OK;
}

/* A copy of the bytes as text, up to the first NUL. */
static char *head_text(const char *bytes, size_t n)
{
    char *text = gtr_alloc(n + 1, 1);

    if (text != NULL)
        memcpy(text, bytes, n);
    return text;
}

/* The first line that is neither blank nor a comment, without leading blanks. */
static const char *first_line(const char *text)
{
    while (*text != '\0') {
        text += strspn(text, " \t\r\n");
        if (*text != '#')
            break;
        text = strchrnul(text, '\n');
    }
    return text;
}

/* Of "[": a list of JSON begins with an object, a line of a console goes on otherwise. */
static bool is_json(const char *first)
{
    if (*first == '[') {
        first += 1 + strspn(first + 1, " \t\r\n");
        return *first == '{' || *first == '\0';
    }
    return *first == '{' && first[1 + strspn(first + 1, " \t\r\n")] != '\'';
}

/* The console's format that knows one of these lines. */
static const struct gtr_log_format *console_among(char *text)
{
    const struct gtr_log_format *format = NULL;
    char *line;

    while (format == NULL && (line = strsep(&text, "\n")) != NULL)
        format = gtr_console_of(line);
    return format;
}

/* Delimiters on the line at `line`, and where it ends. */
static size_t count_delimiters(const char *line, const char **end)
{
    size_t n = 0;

    for (; *line != '\0' && *line != '\n'; line++)
        n += *line == ',' || *line == ';' || *line == '\t';
    *end = line;
    return n;
}

static bool is_step(const char *name)
{
    return gtr_role_rank(GTR_ROLE_STEP, name) != SIZE_MAX;
}

/* Does one of the line's fields have a name that `is`? */
static bool has_field(const char *line, bool (*is)(const char *name))
{
    char name[GTR_LOG_NAME_MAX + 1];

    while (*line != '\0' && *line != '\n') {
        size_t n = strcspn(line, "\t\r\n,;\""), length = n;

        while (length > 0 && line[length - 1] == ' ')
            length--;
        if (length <= GTR_LOG_NAME_MAX) {
            memcpy(name, line, length);
            name[length] = '\0';
            if (is(name))
                return true;
        }
        line += n;
        while (*line != '\0' && *line != '\n' && strchr(" \t\r,;\"", *line) != NULL)
            line++;
    }
    return false;
}

/* A table's header names the steps, or a row of as many fields is below it. */
static bool is_table(const char *first)
{
    const char *second, *end;
    size_t n = count_delimiters(first, &second);

    if (n == 0 || memmem(first, (size_t)(second - first), "{\"", 2) != NULL)
        return false;
    if (has_field(first, is_step))
        return true;
    /* Sentences have commas too, and on every line as many. */
    if (memmem(first, (size_t)(second - first), ": ", 2) != NULL ||
        memchr(first, '=', (size_t)(second - first)) != NULL)
        return false;
    return *second == '\0' || second[1] == '\0' || count_delimiters(second + 1, &end) == n;
}

static const struct gtr_log_format *recognise(char *text, const struct gtr_columns *said)
{
    const char *first = first_line(text);
    const struct gtr_log_format *console;
    bool table = is_table(first);

    if (is_json(first))
        return find_format("jsonl");
    if (said->text != NULL && *first != '{' && *first != '[')
        return find_format("csv");
    if (table && has_field(first, is_step) && has_field(first, gtr_globs_usual))
        return find_format("csv");
    console = console_among(text);
    if (console != NULL)
        return console;
    return table ? find_format("csv") : NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum gtr_code choose_format(struct gtr_log_source *source, struct gtr_err *err)
{
    const char *bytes;
    enum gtr_code rc;
    char *text;
    size_t n;

    rc = gtr_lines_peek(source->lines, &bytes, &n, err);
    if (rc == GTR_OK && n == 0)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: is empty", source->log->name);
    if (rc == GTR_OK)
        rc = check_magic(source->log->name, bytes, n, err);
    if (rc != GTR_OK || source->format != NULL)
        return rc;
    if (gtr_tfevents_begin(bytes, n)) {
        source->format = find_format("tfevents");
        return GTR_OK;
    }
    text = head_text(bytes, n);
    if (text == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory", source->log->name);
    if (*first_line(text) == '\0' && strlen(text) == n && n < GTR_LINES_BLOCK)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: is empty", source->log->name);
    else
        source->format = recognise(text, source->said);
    gtr_free(text);
    return rc;
}

static enum gtr_code read_all(struct gtr_log_source *source, struct gtr_err *err)
{
    enum gtr_code rc = choose_format(source, err);

    if (rc != GTR_OK)
        return rc;
    return source->format != NULL ? source->format->read(source, err)
                                  : gtr_log_read_console(source, err);
}

/* What the summary says of columns and of who wrote them. */
static void describe(struct gtr_log *log)
{
    gtr_writers_tell(log);
    log->summary.step = log->used[GTR_ROLE_STEP];
    log->summary.loss = log->used[GTR_ROLE_LOSS];
    log->summary.lr = log->used[GTR_ROLE_LR];
    log->summary.name = log->used[GTR_ROLE_NAME];
    log->summary.norm = log->used[log->summary.squares ? GTR_ROLE_SUMSQ : GTR_ROLE_NORM];
}

enum gtr_code gtr_log_read(FILE *f, const char *name, const struct gtr_log_options *options,
                           struct gtr_log **log_out, struct gtr_err *err)
{
    struct gtr_columns columns = { 0 };
    struct gtr_lines lines;
    struct gtr_log_source source = { .lines = &lines,
                                     .said = &columns,
                                     .pattern = options->pattern };
    struct gtr_log *log = NULL;
    enum gtr_code rc;

    *log_out = NULL;
    gtr_lines_init(&lines, f, name);
    rc = start(name, options, &log, err);
    source.log = log;
    if (rc == GTR_OK)
        rc = take_format(&source, options->format, err);
    if (rc == GTR_OK)
        rc = gtr_columns_parse(options->columns, &columns, err);
    if (rc == GTR_OK)
        rc = choose_globs(log, options->keys, &columns, err);
    if (rc == GTR_OK)
        rc = read_all(&source, err);
    if (rc == GTR_OK)
        describe(log);
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

const struct gtr_log_left_out *gtr_log_left_out(const struct gtr_log *log, size_t i)
{
    return i < log->summary.n_left_out ? &log->left_out[i] : NULL;
}
