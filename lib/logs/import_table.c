/* import_table.c - the rows of tables: one per step and series (long) or one per step (wide). */
#include <math.h>
#include <string.h>

#include "alloc.h"
#include "formats.h"
#include "log_more.h"
#include "table.h"
#include "table_roles.h"
#include "text.h"

static enum gtr_code fail_row(const struct gtr_table_roles *roles, const char *column,
                              const char *text, const char *what, struct gtr_err *err)
{
    /* A terminal would obey an escape sequence. */
    if (!gtr_log_name_is_text(text))
        text = "(bytes that are no text)";
    return gtr_fail(err, GTR_EFORMAT, "%s:%llu: %.60s: \"%.60s\" %s", roles->log->name,
                    (unsigned long long)roles->table.line, column, text, what);
}

/* What spreadsheets and Python write where they have nothing. */
static bool is_absent(const char *text)
{
    return *text == '\0' || strcmp(text, "NA") == 0 || strcmp(text, "None") == 0 ||
           strcmp(text, "null") == 0;
}

static enum gtr_code read_number(const struct gtr_table_roles *roles, size_t i, double *value,
                                 struct gtr_err *err)
{
    const char *text = gtr_table_field(&roles->table, i);

    if (gtr_text_number(text, value))
        return GTR_OK;
    return fail_row(roles, roles->header[i], text,
                    strchr(text, ',') != NULL ? "is not a number; write a decimal point"
                                              : "is not a number",
                    err);
}

static enum gtr_code read_norm(const struct gtr_table_roles *roles, size_t i, uint32_t owner,
                               struct gtr_err *err)
{
    enum gtr_code rc;
    double value;

    rc = read_number(roles, i, &value, err);
    if (rc != GTR_OK)
        return rc;
    if (value < 0.0)
        return fail_row(roles, roles->header[i], gtr_table_field(&roles->table, i),
                        "is negative; a norm cannot be", err);
    return gtr_log_add(roles->log, owner, value, err);
}

/* Loss and learning rate. */
static enum gtr_code read_extras(const struct gtr_table_roles *roles, struct gtr_err *err)
{
    static const struct {
        enum gtr_role role;
        uint32_t owner;
    } extras[] = { { GTR_ROLE_LOSS, GTR_LOG_LOSS }, { GTR_ROLE_LR, GTR_LOG_LR } };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(extras); i++) {
        size_t at = roles->at[extras[i].role];
        double value;

        if (at == GTR_NOWHERE || is_absent(gtr_table_field(&roles->table, at)))
            continue;
        rc = read_number(roles, at, &value, err);
        if (rc == GTR_OK)
            rc = gtr_log_add(roles->log, extras[i].owner, value, err);
    }
    return rc;
}

/* Keys given for a long table are globs of names. */
static enum gtr_code intern_name(struct gtr_table_roles *roles, const char *name, uint32_t *owner,
                                 struct gtr_err *err)
{
    const struct gtr_globs *globs = &roles->log->globs;
    uint32_t glob = (uint32_t)globs->n_globs;
    enum gtr_code rc;
    bool added;

    rc = gtr_log_intern(roles->log, name, glob, roles->table.line, owner, &added, err);
    if (rc == GTR_OK && added && globs->chosen && gtr_globs_find(globs, name) == glob)
        roles->log->about[*owner].glob = GTR_LOG_NOT_SERIES;
    return rc;
}

/* What the row says of the norm just read. */
static enum gtr_code read_more(const struct gtr_table_roles *roles, struct gtr_err *err)
{
    static const enum gtr_role more[] = { GTR_ROLE_WEIGHT, GTR_ROLE_MAXABS, GTR_ROLE_NUMEL };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(more); i++) {
        size_t at = roles->at[more[i]];
        double value;

        if (at == GTR_NOWHERE || is_absent(gtr_table_field(&roles->table, at)))
            continue;
        rc = read_number(roles, at, &value, err);
        if (rc == GTR_OK && value < 0.0)
            rc = fail_row(roles, roles->header[at], gtr_table_field(&roles->table, at),
                          "is negative", err);
        if (rc == GTR_OK)
            rc = gtr_log_add_more(roles->log, more[i], value, err);
    }
    return rc;
}

static enum gtr_code read_long_row(struct gtr_table_roles *roles, struct gtr_err *err)
{
    const struct gtr_table *table = &roles->table;
    bool sumsq = roles->at[GTR_ROLE_SUMSQ] != GTR_NOWHERE;
    size_t norm = roles->at[sumsq ? GTR_ROLE_SUMSQ : GTR_ROLE_NORM];
    const char *name = gtr_table_field(table, roles->at[GTR_ROLE_NAME]);
    enum gtr_code rc;
    uint32_t owner;

    if (*name == '\0')
        return fail_row(roles, roles->header[roles->at[GTR_ROLE_NAME]], name, "names no series",
                        err);
    rc = intern_name(roles, name, &owner, err);
    if (rc == GTR_OK && roles->log->about[owner].glob != GTR_LOG_NOT_SERIES &&
        !is_absent(gtr_table_field(table, norm))) {
        rc = read_norm(roles, norm, owner, err);
        if (rc == GTR_OK)
            rc = read_more(roles, err);
    }
    return rc;
}

/* Whether a column holds numbers shows in its first cell that holds anything. */
static enum gtr_code read_wide_row(struct gtr_table_roles *roles, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && i < roles->n_columns; i++) {
        struct gtr_column *column = &roles->columns[i];
        const char *text = gtr_table_field(&roles->table, i);
        double value;

        if (column->use == GTR_USE_NOT || is_absent(text))
            continue;
        if (column->use == GTR_USE_IF_NUMERIC && !gtr_text_number(text, &value)) {
            column->use = GTR_USE_NOT;
            gtr_log_ignore(roles->log, roles->header[i]);
            continue;
        }
        column->use = GTR_USE_SERIES;
        rc = read_norm(roles, i, column->name, err);
    }
    return rc;
}

/* Runs that append to their log write the header again. */
static bool is_header(const struct gtr_table_roles *roles)
{
    size_t i;

    for (i = 0; i < roles->n_columns; i++)
        if (strcmp(gtr_table_field(&roles->table, i), roles->header[i]) != 0)
            return false;
    return true;
}

/* The row's step; *kept is false if it has none, and no norm that would need one. */
static enum gtr_code step_of(struct gtr_table_roles *roles, bool norms, bool *kept, int64_t *step,
                             struct gtr_err *err)
{
    size_t at = roles->at[GTR_ROLE_STEP];
    const char *text = at != GTR_NOWHERE ? gtr_table_field(&roles->table, at) : "";
    double epoch = NAN;

    *kept = norms || !is_absent(text);
    if (!*kept)
        return GTR_OK;
    if (is_absent(text) && roles->log->every > 0)
        return gtr_log_count_row(roles->log, step, err);
    if (!gtr_log_step_parse(text, step))
        return fail_row(roles, roles->header[at], text, "is not a whole step number", err);
    if (norms && roles->epoch != GTR_NOWHERE &&
        !gtr_text_number(gtr_table_field(&roles->table, roles->epoch), &epoch))
        epoch = NAN;
    return gtr_log_place_row(roles->log, epoch, roles->table.line, step, err);
}

static enum gtr_code read_row(struct gtr_table_roles *roles, struct gtr_err *err)
{
    size_t before = roles->log->n_cells;
    enum gtr_code rc;
    int64_t step;
    bool kept, norms;

    if (is_header(roles))
        return GTR_OK;
    rc = roles->columns != NULL ? read_wide_row(roles, err) : read_long_row(roles, err);
    norms = roles->log->n_cells > before;
    roles->norms = roles->norms || norms;
    if (rc == GTR_OK)
        rc = step_of(roles, norms, &kept, &step, err);
    if (rc != GTR_OK)
        return rc;
    if (!kept) {
        roles->log->summary.n_idle_rows++;
        return GTR_OK;
    }
    rc = read_extras(roles, err);
    if (rc == GTR_OK)
        rc = gtr_log_end_row(roles->log, step, roles->table.line, err);
    return rc;
}

static enum gtr_code read_rows(struct gtr_table_roles *roles, struct gtr_err *err)
{
    const struct gtr_table *table = &roles->table;
    enum gtr_code rc;
    bool more = true;

    while ((rc = gtr_table_next(&roles->table, &more, err)) == GTR_OK && more) {
        if (table->n_fields != roles->n_columns) {
            /* A killed run leaves half a line. */
            roles->log->summary.cut_short =
                !table->lines->complete && table->n_fields < roles->n_columns;
            if (roles->log->summary.cut_short)
                break;
            return gtr_fail(err, GTR_EFORMAT, "%s:%llu: %zu fields, but the header has %zu",
                            roles->log->name, (unsigned long long)table->line, table->n_fields,
                            roles->n_columns);
        }
        rc = read_row(roles, err);
        if (rc != GTR_OK)
            return rc;
    }
    return rc;
}

enum gtr_code gtr_log_read_table(struct gtr_log_source *source, struct gtr_err *err)
{
    struct gtr_log *log = source->log;
    struct gtr_table_roles roles = { .log = log, .said = source->said };
    bool tabs = source->format != NULL && strcmp(source->format->name, "tsv") == 0;
    enum gtr_code rc;
    bool more;

    gtr_table_init(&roles.table, source->lines, tabs ? '\t' : '\0');
    rc = gtr_table_next(&roles.table, &more, err);
    if (rc == GTR_OK && !more)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: is empty", log->name);
    if (rc == GTR_OK)
        rc = gtr_table_roles_find(&roles, err);
    if (rc == GTR_OK)
        rc = read_rows(&roles, err);
    if (rc == GTR_OK && !roles.norms)
        rc = gtr_fail(err, GTR_EFORMAT, "%s: a header and no norms", log->name);
    log->summary.format = roles.table.delimiter == '\t' ? "tsv" : "csv";
    gtr_table_roles_free(&roles);
    gtr_table_free(&roles.table);
    return rc;
}
