/* import_json.c - JSON lines, lists of objects, and the trainer_state.json of Hugging Face.
 *
 *     {"_step": 3, "train/loss": 2.1, "grad_norm": {"q_proj": 0.25, "k_proj": NaN}}
 *     [{"step": 3, "grad_norm": 0.25}, {"step": 4, "grad_norm": 0.5}]
 *     {"max_steps": 90, "log_history": [{"step": 3, "grad_norm": 0.25}], ...}
 *
 * A row is an object that stands alone, in a list, or in the list log_history of an object that
 * stands alone; line breaks may be anywhere.  The text is cut into rows as it comes, by counting
 * brackets outside of quotes, so that memory holds one row and never the list.
 */
#include <string.h>

#include "alloc.h"
#include "formats.h"
#include "json_row.h"

enum { ROW_MAX_MIB = 16 }; /* a parsed row takes some thirty times its length */

/* The text of an object under way. */
struct piece {
    char *text;
    size_t n, capacity;
    size_t nest; /* brackets that are open; 0: no object is under way */
    uint64_t line;
    size_t column;
};

struct cutter {
    struct gtr_log *log;
    struct gtr_lines *lines;
    struct gtr_json json;
    struct piece outer; /* the object whose log_history is being read */
    struct piece row;
    size_t n_lists; /* that are open outside of rows */
    bool in_history;
    char quote;    /* of the string under way; 0: none */
    bool escaped;  /* the character before was a backslash */
    bool complete; /* the last line ended in a line break */
};

static enum gtr_code put(struct cutter *cutter, char c, struct gtr_err *err)
{
    struct piece *row = &cutter->row;

    if (row->n > (size_t)ROW_MAX_MIB << 20)
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: object longer than %d MiB; is it JSON lines?",
                        cutter->log->name, (unsigned long long)row->line, ROW_MAX_MIB);
    if (row->n + 2 > row->capacity) {
        enum gtr_code rc = gtr_grow(&row->text, &row->capacity, row->n + 2, 1, err);

        if (rc != GTR_OK)
            return rc;
    }
    row->text[row->n++] = c;
    row->text[row->n] = '\0';
    return GTR_OK;
}

/* Does the text end in the key "log_history" and a colon? */
static bool opens_history(const struct piece *row)
{
    static const char key[] = "\"log_history\"";
    size_t n = row->n;

    while (n > 0 && strchr(" \t\r\n", row->text[n - 1]) != NULL)
        n--;
    if (n == 0 || row->text[--n] != ':')
        return false;
    while (n > 0 && strchr(" \t\r\n", row->text[n - 1]) != NULL)
        n--;
    return n >= sizeof key - 1 &&
           memcmp(row->text + n - (sizeof key - 1), key, sizeof key - 1) == 0;
}

static void swap(struct cutter *cutter)
{
    struct piece row = cutter->row;

    cutter->row = cutter->outer;
    cutter->outer = row;
}

/* The object around log_history is no row; it says how long the run was meant to be. */
static void take_outer(struct cutter *cutter)
{
    int64_t max_steps;

    if (gtr_log_json_fact(&cutter->json, cutter->row.text, cutter->row.n, "max_steps",
                          &max_steps) &&
        max_steps > 0)
        cutter->log->summary.total_steps = max_steps;
}

static enum gtr_code end_object(struct cutter *cutter, struct gtr_err *err)
{
    struct piece *row = &cutter->row;
    enum gtr_code rc = GTR_OK;

    if (cutter->log->history && !cutter->in_history)
        take_outer(cutter);
    else
        rc = gtr_log_json_take(&cutter->json, row->text, row->n, row->line, row->column, err);
    row->n = 0;
    return rc;
}

/* One character of an object. */
static enum gtr_code inside(struct cutter *cutter, char c, struct gtr_err *err)
{
    struct piece *row = &cutter->row;
    enum gtr_code rc;

    if (cutter->quote != '\0') {
        if (c == cutter->quote && !cutter->escaped)
            cutter->quote = '\0';
        cutter->escaped = c == '\\' && !cutter->escaped;
        return put(cutter, c, err);
    }
    if (c == '"' || c == '\'')
        cutter->quote = c;
    if (c == '[' && row->nest == 1 && !cutter->in_history && cutter->n_lists == 0 &&
        opens_history(row)) {
        cutter->in_history = cutter->log->history = true;
        swap(cutter);
        cutter->row.n = cutter->row.nest = 0;
        return GTR_OK;
    }
    row->nest += c == '{' || c == '[';
    row->nest -= c == '}' || c == ']';
    rc = put(cutter, c, err);
    if (rc == GTR_OK && row->nest == 0)
        rc = end_object(cutter, err);
    return rc;
}

static enum gtr_code no_object(const struct cutter *cutter, uint64_t line, size_t at,
                               const char *what, struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s:%llu: no object of JSON: byte %zu: %s", cutter->log->name,
                    (unsigned long long)line, at + 1, what);
}

/* One character between objects. */
static enum gtr_code between(struct cutter *cutter, char c, size_t at, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (c == '{') {
        cutter->row.nest = 1;
        cutter->row.line = cutter->lines->number;
        cutter->row.column = at;
        return put(cutter, c, err);
    }
    if (c == ' ' || c == '\t' || c == '\r' || (c == ',' && (cutter->n_lists || cutter->in_history)))
        return GTR_OK;
    if (c == ']' && cutter->in_history) {
        cutter->in_history = false;
        swap(cutter);
        rc = put(cutter, '[', err);
        return rc == GTR_OK ? put(cutter, ']', err) : rc;
    }
    if (c == '[' && cutter->n_lists == 0 && !cutter->in_history)
        cutter->n_lists = 1;
    else if (c == ']' && cutter->n_lists > 0)
        cutter->n_lists = 0;
    else
        rc = no_object(cutter, cutter->lines->number, at, "neither an object nor a list of them",
                       err);
    return rc;
}

static enum gtr_code cut_line(struct cutter *cutter, struct gtr_err *err)
{
    const char *text = cutter->lines->text;
    enum gtr_code rc = GTR_OK;
    size_t i;

    cutter->complete = cutter->lines->complete;
    for (i = 0; rc == GTR_OK && i < cutter->lines->n; i++)
        rc = cutter->row.nest > 0 ? inside(cutter, text[i], err) : between(cutter, text[i], i, err);
    if (rc == GTR_OK && cutter->row.nest > 0)
        rc = inside(cutter, '\n', err);
    return rc;
}

/* A killed run leaves half an object at the end. */
static enum gtr_code look_at_end(struct cutter *cutter, struct gtr_err *err)
{
    bool open = cutter->row.nest > 0 || cutter->in_history;

    if (open && cutter->complete && !cutter->log->history)
        return no_object(cutter, cutter->row.line, cutter->row.column, "begins here and never ends",
                         err);
    cutter->log->summary.cut_short = open || cutter->n_lists > 0;
    return GTR_OK;
}

static enum gtr_code cut_all(struct cutter *cutter, struct gtr_err *err)
{
    enum gtr_code rc;
    bool more;

    while ((rc = cutter->row.nest > 0
                     ? gtr_lines_next(cutter->lines, false, &more, err)
                     : gtr_lines_next_meaning(cutter->lines, &more, err)) == GTR_OK &&
           more) {
        rc = cut_line(cutter, err);
        if (rc != GTR_OK)
            return rc;
    }
    return rc == GTR_OK ? look_at_end(cutter, err) : rc;
}

enum gtr_code gtr_log_read_json(struct gtr_log_source *source, struct gtr_err *err)
{
    struct cutter cutter = { .log = source->log, .lines = source->lines };
    struct gtr_log_rows rows;
    enum gtr_code rc;

    source->log->summary.format = "jsonl";
    rc = gtr_log_rows_init(&rows, source->log, source->said, err);
    if (rc == GTR_OK)
        rc = gtr_log_json_init(&cutter.json, &rows, err);
    if (rc == GTR_OK)
        rc = cut_all(&cutter, err);
    if (cutter.log->history)
        source->log->summary.format = "trainer_state";
    if (rc == GTR_OK)
        rc = gtr_log_rows_finish(&rows, err);
    gtr_log_json_free(&cutter.json);
    gtr_log_rows_free(&rows);
    gtr_free(cutter.row.text);
    gtr_free(cutter.outer.text);
    return rc;
}
