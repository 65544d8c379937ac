/* table.c - finding where rows end, then cutting them into fields in place. */
#include "table.h"

#include <string.h>

#include "alloc.h"

static const char delimiters[] = ",;\t"; /* in order of preference when a header has none */

void gtr_table_init(struct gtr_table *table, struct gtr_lines *lines, char delimiter)
{
    *table = (struct gtr_table){ .lines = lines, .delimiter = delimiter };
}

void gtr_table_free(struct gtr_table *table)
{
    gtr_free(table->starts);
    table->starts = NULL;
}

const char *gtr_table_field(const struct gtr_table *table, size_t i)
{
    return table->lines->text + table->starts[i];
}

static bool delimits(const struct gtr_table *table, char c)
{
    if (table->delimiter != '\0')
        return c == table->delimiter;
    return c != '\0' && strchr(delimiters, c) != NULL;
}

/* Follows quotes over text[from..]; true if one is open at the end.  A quote opens only at the
 * start of a field, so that a lone one inside (5" gun) is a character like others.  Counts the
 * delimiters outside quotes. */
static bool quote_open(const struct gtr_table *table, size_t from, bool open, size_t counts[3])
{
    const char *text = table->lines->text;
    bool fresh = from == 0, just_closed = false;

    for (; text[from] != '\0'; from++) {
        char c = text[from];

        if (open) {
            just_closed = c == '"';
            open = c != '"';
            continue;
        }
        if (c == '"' && (fresh || just_closed))
            open = true;
        else if (delimits(table, c))
            counts[strchr(delimiters, c) - delimiters]++;
        just_closed = false;
        fresh = delimits(table, c) || (fresh && (c == ' ' || c == '\t'));
    }
    return open;
}

static void choose_delimiter(struct gtr_table *table, const size_t counts[3])
{
    size_t best = 0, i;

    for (i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    table->delimiter = delimiters[best];
}

/* Reads a row's lines: more than one if a quote stays open. */
static enum gtr_code read_row(struct gtr_table *table, bool *more, struct gtr_err *err)
{
    size_t counts[3] = { 0, 0, 0 };
    enum gtr_code rc = gtr_lines_next_meaning(table->lines, more, err);
    bool open;

    if (rc != GTR_OK || !*more)
        return rc;
    table->line = table->lines->number;
    open = quote_open(table, 0, false, counts);
    while (open) {
        size_t from = table->lines->n;

        rc = gtr_lines_next(table->lines, true, more, err);
        if (rc != GTR_OK)
            return rc;
        if (!*more)
            return gtr_fail(err, GTR_EFORMAT, "%s:%llu: a quote is opened here and never closed",
                            table->lines->name, (unsigned long long)table->line);
        open = quote_open(table, from, true, counts);
    }
    if (table->delimiter == '\0')
        choose_delimiter(table, counts);
    return GTR_OK;
}

static bool blank(const struct gtr_table *table, char c)
{
    return (c == ' ' || c == '\t' || c == '\r') && c != table->delimiter;
}

/* Takes the quotes off the field at `from`; returns where it ended, or NULL if something other
 * than a delimiter follows the closing quote. */
static char *unquote(const struct gtr_table *table, char *from, char **field)
{
    char *to = from;

    *field = from;
    for (from++; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"')
            break;
        if (*from == '"')
            from++;
        *to++ = *from;
    }
    if (*from == '"')
        from++;
    while (blank(table, *from))
        from++;
    if (*from != '\0' && *from != table->delimiter)
        return NULL;
    if (to < from) /* else the field's last byte is where its NUL already is */
        *to = '\0';
    return from;
}

static char *trim(const struct gtr_table *table, char *from, char **field)
{
    char *stop = from, *last;

    while (*stop != '\0' && *stop != table->delimiter)
        stop++;
    for (last = stop; last > from && blank(table, last[-1]);)
        last--;
    *field = from;
    if (last < stop)
        *last = '\0';
    return stop;
}

static enum gtr_code cut(struct gtr_table *table, struct gtr_err *err)
{
    char *text = table->lines->text, *at = text, *field;
    enum gtr_code rc;
    bool again;

    table->n_fields = 0;
    do {
        while (blank(table, *at))
            at++;
        at = *at == '"' ? unquote(table, at, &field) : trim(table, at, &field);
        if (at == NULL)
            return gtr_fail(err, GTR_EFORMAT,
                            "%s:%llu: field %zu goes on after its closing quote; double the quotes "
                            "inside it",
                            table->lines->name, (unsigned long long)table->line,
                            table->n_fields + 1);
        rc = gtr_grow(&table->starts, &table->capacity, table->n_fields + 1, sizeof *table->starts,
                      err);
        if (rc != GTR_OK)
            return rc;
        table->starts[table->n_fields++] = (size_t)(field - text);
        again = *at == table->delimiter && *at != '\0';
        *at = '\0';
        at += again ? 1 : 0;
    } while (again);
    return GTR_OK;
}

enum gtr_code gtr_table_next(struct gtr_table *table, bool *more, struct gtr_err *err)
{
    enum gtr_code rc = read_row(table, more, err);

    if (rc != GTR_OK || !*more)
        return rc;
    return cut(table, err);
}
