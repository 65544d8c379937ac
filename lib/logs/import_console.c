/* import_console.c - what a trainer prints: lines with a row among lines without.
 *
 * A line is freed of colours and then cut by the format's grammar.  Where the format is not known
 * yet, the first line in which one finds a norm decides it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "formats.h"
#include "json_row.h"
#include "writers.h"

struct console {
    struct gtr_log_source *source;
    struct gtr_log_rows rows;
    struct gtr_json json;
    bool open;      /* a row is under way */
    bool deepspeed; /* a line of its own was seen */
};

/* Takes escape sequences (ESC [ ... letter) off, in place. */
static void strip_colours(char *line)
{
    char *to = line;

    while (*line != '\0') {
        if (line[0] == '\x1b' && line[1] == '[') {
            line += 2;
            line += strspn(line, "0123456789;?");
            line += *line != '\0';
            continue;
        }
        *to++ = *line++;
    }
    *to = '\0';
}

/* --- which format? ---------------------------------------------------------------------------- */

static bool names_norm(const struct gtr_log_format *format, const struct gtr_pair *pair)
{
    char key[GTR_LOG_NAME_MAX + 1];

    if (pair->n > GTR_LOG_NAME_MAX)
        return false;
    memcpy(key, pair->key, pair->n);
    key[pair->n] = '\0';
    return format->keys != NULL ? strcmp(key, format->keys) == 0 : gtr_globs_usual(key);
}

static bool has_norm(const struct gtr_log_format *format, const struct gtr_pairs *pairs)
{
    size_t i;

    if (pairs->object != NULL) {
        const char *norm = strcasestr(pairs->object, "norm");

        return norm != NULL && norm < pairs->object_end;
    }
    for (i = 0; i < pairs->n; i++)
        if (names_norm(format, &pairs->pair[i]))
            return true;
    return false;
}

const struct gtr_log_format *gtr_console_of(char *line)
{
    struct gtr_pairs pairs;
    size_t i;

    strip_colours(line);
    for (i = 0; i < gtr_log_n_formats; i++) {
        const struct gtr_log_format *format = &gtr_log_formats[i];

        pairs.n = 0;
        pairs.total = 0;
        pairs.goes_on = false;
        pairs.object = NULL;
        if (format->cut != NULL && format->cut(line, &pairs) &&
            (has_norm(format, &pairs) || (format->blocks && !pairs.goes_on)))
            return format;
    }
    return NULL;
}

/* The usual globs, unless the format's norms are called otherwise, or the user chose. */
static enum gtr_code take_keys(struct gtr_log_source *source, struct gtr_err *err)
{
    const char *keys = source->pattern != NULL ? "norm/*|norm" : source->format->keys;
    struct gtr_log *log = source->log;
    enum gtr_code rc;

    if (keys == NULL || log->globs.chosen)
        return GTR_OK;
    gtr_globs_free(&log->globs);
    rc = gtr_globs_parse(keys, false, &log->globs, err);
    log->globs.chosen = false;
    return rc;
}

static enum gtr_code adopt(struct console *console, const struct gtr_log_format *format,
                           struct gtr_err *err)
{
    console->source->format = format;
    console->rows.counted = format->counted;
    console->source->log->summary.format = format->name;
    return take_keys(console->source, err);
}

/* --- rows ------------------------------------------------------------------------------------- */

static enum gtr_code take_pairs(struct console *console, const struct gtr_pairs *pairs,
                                struct gtr_err *err)
{
    char key[GTR_LOG_NAME_MAX + 1];
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < pairs->n; i++) {
        if (pairs->pair[i].n > GTR_LOG_NAME_MAX)
            continue;
        memcpy(key, pairs->pair[i].key, pairs->pair[i].n);
        key[pairs->pair[i].n] = '\0';
        rc = gtr_log_rows_take(&console->rows, key, pairs->pair[i].value, err);
    }
    return rc;
}

static enum gtr_code end_row(struct console *console, struct gtr_err *err)
{
    bool open = console->open;

    console->open = false;
    return open ? gtr_log_rows_end(&console->rows, err) : GTR_OK;
}

static enum gtr_code take_line(struct console *console, const struct gtr_pairs *pairs,
                               struct gtr_err *err)
{
    uint64_t line = console->source->lines->number;
    enum gtr_code rc = GTR_OK;

    if (pairs->goes_on && !console->open)
        return GTR_OK;
    if (!pairs->goes_on)
        rc = end_row(console, err);
    if (rc == GTR_OK && pairs->object != NULL)
        return gtr_log_json_take_python(&console->json, pairs->object,
                                        (size_t)(pairs->object_end - pairs->object), line, err);
    if (rc == GTR_OK && !pairs->goes_on)
        gtr_log_rows_begin(&console->rows, line);
    console->open = true;
    if (pairs->total > 0)
        console->source->log->summary.total_steps = pairs->total;
    return rc == GTR_OK ? take_pairs(console, pairs, err) : rc;
}

static enum gtr_code read_line(struct console *console, struct gtr_err *err)
{
    struct gtr_log_source *source = console->source;
    char *line = source->lines->text;
    enum gtr_code rc = GTR_OK;
    struct gtr_pairs pairs;
    bool known;

    strip_colours(line);
    console->deepspeed = console->deepspeed || strstr(line, "log_dist] [Rank") != NULL;
    if (source->format == NULL && gtr_console_of(line) != NULL)
        rc = adopt(console, gtr_console_of(line), err);
    if (rc != GTR_OK || source->format == NULL)
        return rc;
    pairs.n = 0;
    pairs.total = 0;
    pairs.goes_on = false;
    pairs.object = NULL;
    known = source->pattern != NULL ? gtr_cut_pattern(source->pattern, line, &pairs)
                                    : source->format->cut(line, &pairs);
    return known ? take_line(console, &pairs, err) : GTR_OK;
}

/* --- no rows ---------------------------------------------------------------------------------- */

static enum gtr_code finish(struct console *console, struct gtr_err *err)
{
    const struct gtr_log_source *source = console->source;
    const char *name = source->log->name;

    if (source->log->names.n_names > 0)
        return GTR_OK;
    if (source->pattern != NULL && console->rows.keys.names.n_names == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: no line fits --pattern '%.100s'", name,
                        source->pattern);
    if (console->deepspeed)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: lines of DeepSpeed, which prints no gradient norm; take the log of "
                        "the trainer above it, as trainer_state.json or events.out.tfevents.*",
                        name);
    if (source->format == NULL || console->rows.keys.names.n_names == 0)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: neither a table nor JSON, and no line has a gradient norm that a "
                        "known trainer printed; say what its lines look like: --pattern "
                        "'step {step} {} norm {norm}'",
                        name);
    return gtr_log_rows_finish(&console->rows, err);
}

enum gtr_code gtr_log_read_console(struct gtr_log_source *source, struct gtr_err *err)
{
    struct console console = { .source = source };
    enum gtr_code rc;
    bool more;

    source->log->summary.format = source->pattern != NULL ? "pattern" : "console";
    rc = gtr_log_rows_init(&console.rows, source->log, source->said, err);
    if (rc == GTR_OK)
        rc = gtr_log_json_init(&console.json, &console.rows, err);
    if (rc == GTR_OK && source->format != NULL)
        rc = adopt(&console, source->format, err);
    while (rc == GTR_OK && (rc = gtr_lines_next(source->lines, false, &more, err)) == GTR_OK &&
           more)
        rc = read_line(&console, err);
    if (rc == GTR_OK)
        rc = end_row(&console, err);
    if (rc == GTR_OK)
        rc = finish(&console, err);
    gtr_log_json_free(&console.json);
    gtr_log_rows_free(&console.rows);
    return rc;
}
