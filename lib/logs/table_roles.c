/* table_roles.c - long or wide, and which column is which.
 *
 * A table is long if it has a column of names and one of norms; a column is what --columns says,
 * else what its name usually means.
 */
#include "table_roles.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "text.h"
#include "writers.h"

#define NO_RANK UINT_MAX

/* The columns as a list for messages, cut where it gets long. */
static void list_columns(const struct gtr_table_roles *roles, char *out, size_t size)
{
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < roles->n_columns && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%.40s", i > 0 ? ", " : "",
                                 roles->header[i]);
    if (used >= size)
        memcpy(out + size - 4, "...", 4);
}

static enum gtr_code no_column(const struct gtr_table_roles *roles, const char *what,
                               enum gtr_role role, struct gtr_err *err)
{
    enum gtr_code rc = gtr_writers_refuse(&roles->log->seen, roles->log->name, err);
    char list[120];

    if (rc != GTR_OK)
        return rc;
    list_columns(roles, list, sizeof list);
    if (role == GTR_ROLE_SERIES)
        return gtr_writers_no_norms(&roles->log->seen, roles->log->name, "column", list, err);
    return gtr_fail(err, GTR_EFORMAT,
                    "%s:%llu: no column of %s among %s; name it: --columns "
                    "%s=COLUMN",
                    roles->log->name, (unsigned long long)roles->table.line, what, list,
                    gtr_role_name(role));
}

static enum gtr_code find_said(struct gtr_table_roles *roles, enum gtr_role role,
                               struct gtr_err *err)
{
    const char *wanted = roles->said->given[role], *nearest;
    char list[120];
    size_t i;

    for (i = 0; i < roles->n_columns; i++)
        if (strcmp(roles->header[i], wanted) == 0) {
            roles->at[role] = i;
            return GTR_OK;
        }
    nearest = gtr_text_nearest(wanted, (const char *const *)roles->header, roles->n_columns);
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE,
                        "%s: --columns %s=%.60s: no such column; did you mean %.60s?",
                        roles->log->name, gtr_role_name(role), wanted, nearest);
    list_columns(roles, list, sizeof list);
    return gtr_fail(err, GTR_EUSAGE, "%s: --columns %s=%.60s: no such column; there are %s",
                    roles->log->name, gtr_role_name(role), wanted, list);
}

/* Two columns that mean the same, as "step" and "Step" or "norm" twice: which one is right cannot
 * be seen. */
static enum gtr_code check_alone(const struct gtr_table_roles *roles, enum gtr_role role,
                                 struct gtr_err *err)
{
    size_t at = roles->at[role], i;

    for (i = 0; at != GTR_NOWHERE && i < roles->n_columns; i++) {
        const char *name = roles->header[i];

        if (i == at)
            continue;
        if (strcmp(name, roles->header[at]) == 0)
            return gtr_fail(err, GTR_EFORMAT,
                            "%s:%llu: two columns are called %.60s; give one another name",
                            roles->log->name, (unsigned long long)roles->table.line, name);
        if (roles->said->given[role] == NULL &&
            gtr_role_rank(role, name) == gtr_role_rank(role, roles->header[at]))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s:%llu: %.60s or %.60s? both may be the %s; name one: --columns "
                            "%s=COLUMN",
                            roles->log->name, (unsigned long long)roles->table.line,
                            roles->header[at], name, gtr_role_name(role), gtr_role_name(role));
    }
    return GTR_OK;
}

static void find_usual(struct gtr_table_roles *roles, enum gtr_role role)
{
    size_t best = SIZE_MAX, i;

    for (i = 0; i < roles->n_columns; i++) {
        size_t rank = gtr_role_rank(role, roles->header[i]);

        if (rank < best) {
            best = rank;
            roles->at[role] = i;
        }
    }
}

static enum gtr_code find_role(struct gtr_table_roles *roles, enum gtr_role role,
                               struct gtr_err *err)
{
    if (roles->said->given[role] != NULL) {
        enum gtr_code rc = find_said(roles, role, err);

        if (rc != GTR_OK)
            return rc;
    } else {
        find_usual(roles, role);
    }
    return check_alone(roles, role, err);
}

/* Names and norms are columns of a long table only. */
static bool is_long(struct gtr_table_roles *roles)
{
    const char *const *given = roles->said->given;

    if (given[GTR_ROLE_SERIES] != NULL || given[GTR_ROLE_NAME] != NULL)
        return given[GTR_ROLE_SERIES] == NULL;
    find_usual(roles, GTR_ROLE_NAME);
    find_usual(roles, GTR_ROLE_NORM);
    find_usual(roles, GTR_ROLE_SUMSQ);
    return roles->at[GTR_ROLE_NAME] != GTR_NOWHERE &&
           (given[GTR_ROLE_NORM] != NULL || given[GTR_ROLE_SUMSQ] != NULL ||
            roles->at[GTR_ROLE_NORM] != GTR_NOWHERE || roles->at[GTR_ROLE_SUMSQ] != GTR_NOWHERE);
}

static enum gtr_code find_roles(struct gtr_table_roles *roles, bool *is_long_out,
                                struct gtr_err *err)
{
    static const enum gtr_role always[] = { GTR_ROLE_STEP, GTR_ROLE_LOSS, GTR_ROLE_LR };
    static const enum gtr_role of_long[] = { GTR_ROLE_NAME,   GTR_ROLE_NORM,   GTR_ROLE_SUMSQ,
                                             GTR_ROLE_WEIGHT, GTR_ROLE_MAXABS, GTR_ROLE_NUMEL };
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; i < GTR_ROLE_COUNT; i++)
        roles->at[i] = GTR_NOWHERE;
    roles->epoch = GTR_NOWHERE;
    for (i = 0; i < roles->n_columns; i++)
        if (gtr_columns_is_epoch(roles->header[i]))
            roles->epoch = i;
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(always); i++)
        rc = find_role(roles, always[i], err);
    if (rc == GTR_OK && roles->at[GTR_ROLE_STEP] == GTR_NOWHERE && roles->log->every == 0)
        rc = no_column(roles, "steps", GTR_ROLE_STEP, err);
    *is_long_out = is_long(roles);
    for (i = 0; rc == GTR_OK && *is_long_out && i < GTR_ARRAY_LEN(of_long); i++)
        rc = find_role(roles, of_long[i], err);
    return rc;
}

static enum gtr_code note_roles(struct gtr_table_roles *roles, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t role, i;

    for (role = 0; rc == GTR_OK && role < GTR_ROLE_COUNT; role++)
        if (roles->at[role] != GTR_NOWHERE)
            rc = gtr_log_use(roles->log, (enum gtr_role)role, roles->header[roles->at[role]], err);
    for (i = 0; i < roles->n_columns; i++) {
        bool used = roles->columns != NULL && roles->columns[i].use != GTR_USE_NOT;

        for (role = 0; role < GTR_ROLE_COUNT; role++)
            used = used || roles->at[role] == i;
        if (!used)
            gtr_log_ignore(roles->log, roles->header[i]);
    }
    return rc;
}

/* Sums of squares are taken only where there are no norms, or where the user says so. */
static enum gtr_code set_up_long(struct gtr_table_roles *roles, struct gtr_err *err)
{
    static const char *const modules[] = { "module", "layer", "layer_id", "group" };
    bool sumsq =
        roles->said->given[GTR_ROLE_SUMSQ] != NULL ||
        (roles->at[GTR_ROLE_NORM] == GTR_NOWHERE && roles->at[GTR_ROLE_SUMSQ] != GTR_NOWHERE);
    size_t i;

    roles->at[sumsq ? GTR_ROLE_NORM : GTR_ROLE_SUMSQ] = GTR_NOWHERE;
    if (!sumsq && roles->at[GTR_ROLE_NORM] == GTR_NOWHERE)
        return no_column(roles, "norms", GTR_ROLE_NORM, err);
    roles->log->summary.squares = sumsq;
    roles->log->named = true;
    for (i = 0; i < GTR_ARRAY_LEN(modules); i++)
        if (strcasecmp(roles->header[roles->at[GTR_ROLE_NAME]], modules[i]) == 0)
            roles->log->modules = true;
    return note_roles(roles, err);
}

/* The glob that makes a column a series, or n_globs. */
static size_t glob_of(const struct gtr_table_roles *roles, size_t i)
{
    static const enum gtr_role others[] = { GTR_ROLE_STEP, GTR_ROLE_LOSS, GTR_ROLE_LR };
    size_t k;

    for (k = 0; k < GTR_ARRAY_LEN(others); k++)
        if (i == roles->at[others[k]])
            return roles->log->globs.n_globs;
    return gtr_globs_find_column(&roles->log->globs, roles->header[i]);
}

/* The lowest rank among the columns' globs. */
static unsigned best_rank(const struct gtr_table_roles *roles)
{
    const struct gtr_globs *globs = &roles->log->globs;
    unsigned best = NO_RANK;
    size_t i;

    for (i = 0; i < roles->n_columns; i++) {
        size_t glob = glob_of(roles, i);

        if (glob < globs->n_globs && globs->globs[glob].rank < best)
            best = globs->globs[glob].rank;
    }
    return best;
}

/* The only column besides steps and times, as in "Wall time,Step,Value": it is taken, and that is
 * told.  Of several none is: seconds and tokens are numbers too. */
static size_t only_column(const struct gtr_table_roles *roles)
{
    size_t i, found = GTR_NOWHERE;

    for (i = 0; i < roles->n_columns; i++) {
        if (i == roles->at[GTR_ROLE_STEP] || gtr_columns_is_time(roles->header[i]))
            continue;
        if (found != GTR_NOWHERE || gtr_columns_reserved(roles->header[i]))
            return GTR_NOWHERE;
        found = i;
    }
    return found;
}

/* Series are the columns that match a glob of the best rank; where that is of norms of anything,
 * another whole gradient's may be among the others. */
static enum gtr_column_use use_of(const struct gtr_table_roles *roles, unsigned best, size_t glob)
{
    const struct gtr_globs *globs = &roles->log->globs;

    return glob < globs->n_globs &&
                   gtr_globs_level(globs->globs[glob].rank) == gtr_globs_level(best)
               ? GTR_USE_SERIES
               : GTR_USE_NOT;
}

static enum gtr_code add_column(struct gtr_table_roles *roles, size_t i, size_t glob,
                                struct gtr_err *err)
{
    struct gtr_column *column = &roles->columns[i];
    enum gtr_code rc;
    bool added;

    rc = gtr_log_intern(roles->log, roles->header[i], (uint32_t)glob, roles->table.line,
                        &column->name, &added, err);
    if (rc == GTR_OK && !added)
        rc = gtr_fail(err, GTR_EFORMAT, "%s:%llu: two columns are called %.60s", roles->log->name,
                      (unsigned long long)roles->table.line, roles->header[i]);
    return rc;
}

static enum gtr_code no_match(const struct gtr_table_roles *roles, struct gtr_err *err)
{
    const char *pattern = roles->log->globs.globs[0].pattern, *nearest;
    char list[120];

    nearest = gtr_text_nearest(pattern, (const char *const *)roles->header, roles->n_columns);
    list_columns(roles, list, sizeof list);
    return gtr_fail(err, GTR_EUSAGE, "%s: no column matches %.60s; %s%s", roles->log->name, pattern,
                    nearest != NULL ? "the nearest is " : "there are ",
                    nearest != NULL ? nearest : list);
}

/* Decides which columns are series; *n counts them. */
static enum gtr_code choose_columns(struct gtr_table_roles *roles, unsigned best, size_t *n,
                                    struct gtr_err *err)
{
    size_t i, only = GTR_NOWHERE;
    enum gtr_code rc;

    if (best == NO_RANK && !roles->log->globs.chosen)
        only = only_column(roles);
    roles->log->summary.only_column = only != GTR_NOWHERE;
    rc = gtr_alloc_for(&roles->columns, roles->n_columns, sizeof *roles->columns, "columns", err);
    for (i = 0; rc == GTR_OK && i < roles->n_columns; i++) {
        size_t glob = glob_of(roles, i);

        roles->columns[i].use = i == only ? GTR_USE_IF_NUMERIC : use_of(roles, best, glob);
        if (roles->columns[i].use == GTR_USE_NOT)
            continue;
        rc = add_column(roles, i, glob, err);
        ++*n;
    }
    return rc;
}

static enum gtr_code set_up_wide(struct gtr_table_roles *roles, struct gtr_err *err)
{
    struct gtr_log *log = roles->log;
    bool names = roles->at[GTR_ROLE_NAME] != GTR_NOWHERE;
    enum gtr_code rc;
    unsigned best;
    size_t n = 0;

    log->strip = true;
    roles->at[GTR_ROLE_NAME] = roles->at[GTR_ROLE_NORM] = roles->at[GTR_ROLE_SUMSQ] = GTR_NOWHERE;
    rc = gtr_log_take_globs(log, roles->said, err);
    if (rc != GTR_OK)
        return rc;
    best = best_rank(roles);
    /* A column of names asks for one of norms, rather than for every number in the table. */
    if (names && best == NO_RANK && !log->globs.chosen)
        return no_column(roles, "norms", GTR_ROLE_NORM, err);
    rc = choose_columns(roles, best, &n, err);
    if (rc != GTR_OK)
        return rc;
    if (n == 0 && log->globs.chosen)
        return no_match(roles, err);
    if (n == 0)
        return no_column(roles, "norms", GTR_ROLE_SERIES, err);
    return note_roles(roles, err);
}

/* A header of numbers is no header, and bytes are no log. */
static enum gtr_code check_header(const struct gtr_table_roles *roles, struct gtr_err *err)
{
    double value;
    size_t i;

    for (i = 0; i < roles->n_columns; i++)
        if (!gtr_log_name_is_text(roles->header[i]))
            return gtr_fail(err, GTR_EFORMAT,
                            "%s:%llu: field %zu is no name of a column: too long, not UTF-8, or "
                            "not text at all; is the log compressed?",
                            roles->log->name, (unsigned long long)roles->table.line, i + 1);
    for (i = 0; i < roles->n_columns; i++)
        if (!gtr_text_number(roles->header[i], &value))
            return GTR_OK;
    return gtr_fail(err, GTR_EFORMAT,
                    "%s:%llu: the first line holds numbers; put the columns' names there, for "
                    "example step,module,norm",
                    roles->log->name, (unsigned long long)roles->table.line);
}

enum gtr_code gtr_table_roles_find(struct gtr_table_roles *roles, struct gtr_err *err)
{
    size_t n = roles->table.n_fields;
    enum gtr_code rc;
    bool is_long_table = false;

    rc = gtr_alloc_for(&roles->header, n, sizeof *roles->header, "columns", err);
    if (rc != GTR_OK)
        return rc;
    for (; roles->n_columns < n; roles->n_columns++) {
        gtr_log_saw(roles->log, gtr_table_field(&roles->table, roles->n_columns));
        roles->header[roles->n_columns] =
            gtr_strdup(gtr_table_field(&roles->table, roles->n_columns));
        if (roles->header[roles->n_columns] == NULL)
            return gtr_fail(err, GTR_ENOMEM, "%s: no memory for columns", roles->log->name);
    }
    rc = check_header(roles, err);
    if (rc == GTR_OK)
        rc = find_roles(roles, &is_long_table, err);
    if (rc != GTR_OK)
        return rc;
    return is_long_table ? set_up_long(roles, err) : set_up_wide(roles, err);
}

void gtr_table_roles_free(struct gtr_table_roles *roles)
{
    size_t i;

    for (i = 0; i < roles->n_columns; i++)
        gtr_free(roles->header[i]);
    gtr_free(roles->header);
    gtr_free(roles->columns);
}
