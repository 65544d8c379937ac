/* report_write.c - escape, round, and keep the exact value.
 *
 * A number is rounded for the eye and kept in full in data-value and in the TSV: no number is on
 * the page that is not in a file.
 */
#include "report_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stage.h"
#include "tell.h"

enum { SHORT = 24 }; /* letters that a cell keeps on one line */

/* --- text ------------------------------------------------------------------------------------ */

static void put_markup(FILE *f, const char *markup, size_t length)
{
    const char *end = markup + length;

    for (; markup < end; markup++) {
        size_t id = *markup == '[' ? strcspn(markup, "|]") : 0;

        if (id > 0 && markup[id] == '|') {
            fprintf(f, "<a class=term href=\"#term-%.*s\">", (int)id - 1, markup + 1);
            markup += id;
        } else if (*markup == ']') {
            fputs("</a>", f);
        } else {
            fputc(*markup, f);
        }
    }
}

void report_put(struct report *r, const char *markup)
{
    put_markup(r->f, markup, strlen(markup));
}

/* Line ends become blanks in HTML anyway; what else tell_text hides has no place there. */
const char *report_escape_letter(FILE *f, const char *text)
{
    static const char special[] = "&<>\"'";
    static const char *const entity[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
    const char *at = strchr(special, *text);
    uint32_t letter;
    size_t n = gtr_text_letter(text, &letter);

    if (at != NULL)
        fputs(entity[at - special], f);
    else if (*text == '\n' || (n > 0 && gtr_text_is_safe(letter)))
        fwrite(text, 1, n, f);
    else
        fputc('?', f);
    return text + (n > 0 ? n : 1);
}

void report_escape(FILE *f, const char *text)
{
    while (*text != '\0')
        text = report_escape_letter(f, text);
}

/* A long name may be broken after its parts. */
static void put_breakable(FILE *f, const char *text)
{
    bool is_long = tell_letters(text) > SHORT;

    while (*text != '\0') {
        bool part = strchr(",:./", *text) != NULL;

        text = report_escape_letter(f, text);
        if (is_long && part && *text != '\0')
            fputs("<wbr>", f);
    }
}

void report_escape_code(FILE *f, const char *text)
{
    bool code = false;

    while (*text != '\0') {
        if (*text != '`') {
            text = report_escape_letter(f, text);
            continue;
        }
        if (code || strchr(text + 1, '`') != NULL) {
            fputs(code ? "</code>" : "<code>", f);
            code = !code;
        }
        text++;
    }
}

/* --- numbers --------------------------------------------------------------------------------- */

static void put_grouped(FILE *f, double value)
{
    char text[TELL_SIZE];

    fprintf(f, "%s%s", value < 0.0 ? "−" : "", tell_count((uint64_t)rint(fabs(value)), text));
}

/* 1.2e-05 as 1.2 × 10^-5. */
static void put_digits(FILE *f, double value, int digits)
{
    char text[40], *exponent;
    size_t n;

    /* 0.680 and 2.0, so that columns line up; but 0 and 1, where there is nothing after it. */
    if (value == 0.0 || value == 1.0 || digits > 3)
        snprintf(text, sizeof text, "%.*g", digits, value);
    else
        snprintf(text, sizeof text, "%#.*g", digits, value);
    n = strlen(text);
    if (n > 0 && text[n - 1] == '.')
        text[n - 1] = '\0';
    exponent = strchr(text, 'e');
    if (exponent == NULL) {
        fputs(text, f);
        return;
    }
    *exponent = '\0';
    fprintf(f, "%s × 10<sup>%d</sup>", text, (int)strtol(exponent + 1, NULL, 10));
}

static void put_shown(FILE *f, enum said_kind kind, double value)
{
    char text[TELL_SIZE];

    if (isnan(value)) {
        fputs("–", f);
    } else if (isinf(value)) {
        fputs(value > 0.0 ? "∞" : "−∞", f);
    } else if (kind == SAID_SHARE) {
        report_escape(f, tell_share(value, text));
    } else if (kind == SAID_CHANGE) {
        report_escape(f, tell_change(value, text));
    } else if (kind == SAID_COUNT ||
               (kind == SAID_NUMBER && fabs(value) >= 1000.0 && fabs(value) < 1e6)) {
        put_grouped(f, value);
    } else if (kind == SAID_STEP) {
        fprintf(f, "%.0f", value);
    } else {
        put_digits(f, value, kind == SAID_LIMIT ? 6 : kind == SAID_TIMES ? 2 : 3);
    }
}

/* --- sentences ------------------------------------------------------------------------------- */

static void put_said(struct report *r, const struct said *said)
{
    char exact[GTR_NUMBER_SIZE];

    if (said->kind == SAID_TEXT) {
        report_escape(r->f, said->text);
    } else if (said->kind == SAID_NAME) {
        fputs("<bdi class=name>", r->f);
        report_escape(r->f, said->text);
        fputs("</bdi>", r->f);
    } else {
        gtr_text_print(said->value, exact);
        fprintf(r->f, "<data value=\"%s\">", exact);
        put_shown(r->f, said->kind, said->value);
        fputs("</data>", r->f);
        rows_text(&r->facts, r->section);
        rows_text(&r->facts, said->key);
        rows_number(&r->facts, said->value);
    }
}

void report_say(struct report *r, const char *markup, size_t n, const struct said *said)
{
    size_t i = 0;
    const char *gap;

    while ((gap = strstr(markup, "{}")) != NULL && i < n) {
        put_markup(r->f, markup, (size_t)(gap - markup));
        put_said(r, &said[i++]);
        markup = gap + 2;
    }
    report_put(r, markup);
}

void report_section(struct report *r, const char *id, const char *heading)
{
    if (r->section[0] != '\0')
        fputs("</section>\n", r->f);
    r->section = id;
    fprintf(r->f, "\n<section id=%s>\n<h2><a href=\"#%s\">%s</a></h2>\n", id, id, heading);
}

/* --- tables ---------------------------------------------------------------------------------- */

static bool is_text(const struct report_column *column)
{
    return column->kind == SAID_TEXT || column->kind == SAID_NAME;
}

FILE *report_open(struct report *r, const char *name)
{
    char *path = r->folder != NULL && r->rc == GTR_OK ? stage_path(r->folder, name) : NULL;
    FILE *f = path != NULL ? fopen(path, "we") : NULL;

    if (f == NULL && r->folder != NULL && r->rc == GTR_OK)
        r->rc = gtr_fail(&r->err, GTR_EIO, "%s: cannot write", name);
    gtr_free(path);
    return f;
}

void report_close(struct report *r, struct rows *rows, const char *name)
{
    struct gtr_err err = { 0 }, closing = { 0 };
    enum gtr_code rc = rows_close(rows, &err), closed = gtr_file_close(rows->f, name, &closing);

    if (r->rc == GTR_OK && (rc != GTR_OK || closed != GTR_OK))
        r->rc = gtr_fail(&r->err, rc != GTR_OK ? rc : closed, "%s",
                         rc != GTR_OK ? err.text : closing.text);
}

static void put_head(struct report *r, const struct report_column *column)
{
    report_put(r, is_text(column) ? "<th scope=col>" : "<th scope=col class=num>");
    report_put(r, column->heading);
    report_put(r, "</th>");
}

static void put_heads(struct report_table *table)
{
    FILE *f = table->r->f;
    size_t c;

    fputs("<thead><tr>", f);
    for (c = 0; c < table->n_columns; c++) {
        const struct report_column *column = &table->columns[c];

        if (!column->hidden)
            put_head(table->r, column);
        if (table->rows.f != NULL)
            rows_column(&table->rows, column->key);
    }
    fputs("</tr></thead>\n<tbody>\n", f);
}

void report_table_begin(struct report_table *table, struct report *r, const char *name,
                        const char *caption, const struct report_column *columns, size_t n_columns)
{
    *table = (struct report_table){ .r = r, .columns = columns, .n_columns = n_columns };
    snprintf(table->path, sizeof table->path, "%s.tsv", name);
    rows_open(&table->rows, report_open(r, table->path), false);
    fprintf(r->f, "<div class=wide><table id=table-%s data-file=%s.tsv>\n<caption>%s</caption>\n",
            name, name, caption);
    put_heads(table);
}

static bool row_is_shown(const struct report_table *table)
{
    return !table->hide_row && (table->most == 0 || table->n_rows < table->most);
}

static void begin_cell(struct report_table *table)
{
    if (table->at == 0 && row_is_shown(table))
        fputs("<tr>", table->r->f);
}

static void end_cell(struct report_table *table)
{
    bool last = ++table->at == table->n_columns;

    if (!last)
        return;
    if (row_is_shown(table))
        fputs("</tr>\n", table->r->f);
    table->at = 0;
    table->n_rows += table->hide_row ? 0 : 1;
    table->hide_row = false;
}

void report_cell(struct report_table *table, double value)
{
    const struct report_column *column = &table->columns[table->at];
    FILE *f = table->r->f;
    char exact[GTR_NUMBER_SIZE];

    begin_cell(table);
    gtr_text_print(value, exact);
    if (!column->hidden && row_is_shown(table)) {
        fprintf(f, "<td class=num data-value=\"%s\">", exact);
        put_shown(f, column->kind, value);
        fputs("</td>", f);
    }
    if (table->rows.f != NULL)
        rows_number(&table->rows, value);
    end_cell(table);
}

void report_cell_text(struct report_table *table, const char *text)
{
    const struct report_column *column = &table->columns[table->at];
    FILE *f = table->r->f;

    begin_cell(table);
    if (!column->hidden && row_is_shown(table)) {
        fputs(tell_letters(text) <= SHORT ? "<td class=word>" : "<td>", f);
        fputs(column->kind == SAID_NAME ? "<bdi class=name>" : "", f);
        put_breakable(f, text);
        fputs(column->kind == SAID_NAME ? "</bdi></td>" : "</td>", f);
    }
    if (table->rows.f != NULL)
        rows_text(&table->rows, text);
    end_cell(table);
}

void report_table_end(struct report_table *table)
{
    struct report *r = table->r;

    fputs("</tbody></table></div>\n", r->f);
    if (table->most > 0 && table->n_rows > table->most) {
        report_put(r, "<p class=more>and ");
        SAY(r, "{} more rows", said_count("rows_left_out", table->n_rows - table->most));
        fprintf(r->f, ", which <code>--tsv</code> writes to <code>%s</code>.</p>\n", table->path);
    }
    if (table->rows.f != NULL)
        report_close(r, &table->rows, table->path);
}
