/* log_rows.c - keys with numbers become steps, losses, rates and norms. */
#include "log_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "text.h"
#include "writers.h"

static const char *key_text(const struct gtr_log_rows *rows, uint32_t number)
{
    return gtr_log_keys_text(&rows->keys, number);
}

static enum gtr_code fail_key(const struct gtr_log_rows *rows, const char *key, const char *what,
                              struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s:%llu: %.80s: %s", rows->log->name,
                    (unsigned long long)rows->line, key, what);
}

static enum gtr_code bad_number(const struct gtr_log_rows *rows, const char *key, double value,
                                const char *what, struct gtr_err *err)
{
    char text[GTR_NUMBER_SIZE + 64];

    gtr_text_print(value, text);
    snprintf(text + strlen(text), sizeof text - strlen(text), " %s", what);
    return fail_key(rows, key, text, err);
}

/* name= wants norm= or sumsq= beside it: a list of usual names would guess. */
static enum gtr_code check_said(const struct gtr_columns *said, struct gtr_err *err)
{
    const char *const *given = said->given;

    if (given[GTR_ROLE_NAME] == NULL || given[GTR_ROLE_NORM] != NULL ||
        given[GTR_ROLE_SUMSQ] != NULL)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE, "--columns name=%.60s: say norm=KEY too",
                    given[GTR_ROLE_NAME]);
}

enum gtr_code gtr_log_rows_init(struct gtr_log_rows *rows, struct gtr_log *log,
                                const struct gtr_columns *said, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    *rows = (struct gtr_log_rows){
        .log = log, .said = said, .keys = { .log = log, .said = said }, .step_key = GTR_NAMES_NONE
    };
    for (i = 0; i < GTR_ROLE_COUNT; i++)
        rows->best[i] = UINT16_MAX;
    log->strip = true;
    rc = check_said(said, err);
    if (rc == GTR_OK && said->given[GTR_ROLE_NAME] == NULL)
        rc = gtr_log_take_globs(log, said, err);
    return rc;
}

void gtr_log_rows_free(struct gtr_log_rows *rows)
{
    gtr_log_keys_free(&rows->keys);
}

/* --- the numbers of a row -------------------------------------------------------------------- */

void gtr_log_rows_begin(struct gtr_log_rows *rows, uint64_t line)
{
    memset(rows->found, 0, sizeof rows->found);
    rows->keys.n = 0;
    rows->series[0] = '\0';
    rows->line = line;
    rows->epoch = NAN;
    rows->n_before = rows->log->n_cells;
}

bool gtr_log_rows_text(struct gtr_log_rows *rows, const char *text)
{
    const char *name_key = rows->said->given[GTR_ROLE_NAME];

    if (name_key == NULL || !gtr_log_keys_are(&rows->keys, name_key))
        return false;
    snprintf(rows->series, sizeof rows->series, "%s", text);
    return true;
}

static void take_role(struct gtr_log_rows *rows, uint32_t number, double value)
{
    const struct gtr_log_key *key = &rows->keys.keys[number];
    struct gtr_found *found = &rows->found[key->role];

    if (key->role == GTR_ROLE_STEP && rows->step_key != GTR_NAMES_NONE && number != rows->step_key)
        return;
    /* Once there was a "loss", a last row's "train_loss" is the mean over the run. */
    if (key->rank > rows->best[key->role])
        return;
    if (found->there && found->rank <= key->rank)
        return;
    *found = (struct gtr_found){ .rank = key->rank, .value = value, .key = number, .there = true };
}

static enum gtr_code take_norm(struct gtr_log_rows *rows, const char *key, uint32_t owner,
                               double value, struct gtr_err *err)
{
    if (value < 0.0)
        return bad_number(rows, key, value, "is negative; a norm cannot be", err);
    return gtr_log_add(rows->log, owner, value, err);
}

enum gtr_code gtr_log_rows_number(struct gtr_log_rows *rows, double value, struct gtr_err *err)
{
    struct gtr_log_key key;
    enum gtr_code rc;
    uint32_t number;

    if (rows->keys.n > GTR_LOG_NAME_MAX)
        return GTR_OK;
    rc = gtr_log_keys_intern(&rows->keys, rows->line, &number, err);
    if (rc != GTR_OK)
        return rc;
    key = rows->keys.keys[number];
    if (key.is_epoch)
        rows->epoch = value;
    else if (key.role != GTR_ROLE_COUNT)
        take_role(rows, number, value);
    else if (key.owner != GTR_LOG_NOT_SERIES)
        rc = take_norm(rows, key_text(rows, number), key.owner, value, err);
    return rc;
}

enum gtr_code gtr_log_rows_too_large(struct gtr_log_rows *rows, struct gtr_err *err)
{
    enum gtr_code rc;
    uint32_t number;

    if (rows->keys.n > GTR_LOG_NAME_MAX)
        return GTR_OK;
    rc = gtr_log_keys_intern(&rows->keys, rows->line, &number, err);
    if (rc != GTR_OK || (rows->keys.keys[number].role == GTR_ROLE_COUNT &&
                         rows->keys.keys[number].owner == GTR_LOG_NOT_SERIES))
        return rc;
    return fail_key(rows, key_text(rows, number),
                    "a whole number too large to be read exactly; write it as in 1e20", err);
}

enum gtr_code gtr_log_rows_take(struct gtr_log_rows *rows, const char *key, double value,
                                struct gtr_err *err)
{
    enum gtr_code rc;

    rows->keys.n = 0;
    rc = gtr_log_keys_push(&rows->keys, key, err);
    return rc == GTR_OK ? gtr_log_rows_number(rows, value, err) : rc;
}

/* name= and norm= in one row: a long table in JSON. */
static enum gtr_code take_named(struct gtr_log_rows *rows, struct gtr_err *err)
{
    bool squares = rows->said->given[GTR_ROLE_SUMSQ] != NULL;
    const struct gtr_found *norm = &rows->found[squares ? GTR_ROLE_SUMSQ : GTR_ROLE_NORM];
    enum gtr_code rc;
    uint32_t owner;
    bool added;

    if (rows->series[0] == '\0' || !norm->there)
        return GTR_OK;
    rc = gtr_log_intern(rows->log, rows->series, (uint32_t)rows->log->globs.n_globs, rows->line,
                        &owner, &added, err);
    if (rc != GTR_OK)
        return rc;
    rows->log->summary.squares = squares;
    rows->log->named = true;
    return take_norm(rows, key_text(rows, norm->key), owner, norm->value, err);
}

/* --- the row --------------------------------------------------------------------------------- */

static enum gtr_code no_step(const struct gtr_log_rows *rows, struct gtr_err *err)
{
    const char *said = rows->said->given[GTR_ROLE_STEP];
    char list[80];

    gtr_role_list(GTR_ROLE_STEP, list, sizeof list);
    if (rows->step_key != GTR_NAMES_NONE)
        said = key_text(rows, rows->step_key);
    if (said != NULL)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s:%llu: norms without a step: no key %.60s; name another with --columns "
                        "step=KEY",
                        rows->log->name, (unsigned long long)rows->line, said);
    return gtr_fail(err, GTR_EFORMAT,
                    "%s:%llu: norms without a step: no key is one of %s; name it with --columns "
                    "step=KEY, or number the rows N, 2N, ... with --every N",
                    rows->log->name, (unsigned long long)rows->line, list);
}

/* For the record: which keys gave step, loss and learning rate. */
static enum gtr_code note_keys(struct gtr_log_rows *rows, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t role;

    for (role = 0; rc == GTR_OK && role < GTR_ROLE_COUNT; role++)
        if (rows->found[role].there) {
            rows->best[role] = rows->found[role].rank;
            rc = gtr_log_use(rows->log, (enum gtr_role)role, key_text(rows, rows->found[role].key),
                             err);
        }
    return rc;
}

static void pass_over(struct gtr_log_rows *rows)
{
    rows->log->summary.n_idle_rows++;
    gtr_log_drop_row(rows->log);
}

/* The row's step: what it says, or its number where rows have none. */
static enum gtr_code step_of(struct gtr_log_rows *rows, bool norms, int64_t *index,
                             struct gtr_err *err)
{
    const struct gtr_found *step = &rows->found[GTR_ROLE_STEP];

    if (!step->there)
        return gtr_log_count_row(rows->log, index, err);
    if (!gtr_log_step_from(step->value, index))
        return bad_number(rows, key_text(rows, step->key), step->value,
                          "is not a whole step number", err);
    rows->step_key = step->key;
    return gtr_log_place_row(rows->log, norms ? rows->epoch : (double)NAN, rows->line, index, err);
}

enum gtr_code gtr_log_rows_end(struct gtr_log_rows *rows, struct gtr_err *err)
{
    static const struct {
        enum gtr_role role;
        uint32_t owner;
    } extras[] = { { GTR_ROLE_LOSS, GTR_LOG_LOSS }, { GTR_ROLE_LR, GTR_LOG_LR } };
    bool norms, counted = rows->counted || rows->log->every > 0;
    enum gtr_code rc = take_named(rows, err);
    int64_t index;
    size_t i;

    norms = rows->log->n_cells > rows->n_before;
    for (i = 0; rc == GTR_OK && i < 2; i++)
        if (rows->found[extras[i].role].there)
            rc = gtr_log_add(rows->log, extras[i].owner, rows->found[extras[i].role].value, err);
    if (rc != GTR_OK)
        return rc;
    if (norms && !rows->found[GTR_ROLE_STEP].there && !counted)
        return no_step(rows, err);
    /* Counted rows are those with a norm or a loss of the step's own. */
    if (rows->log->n_cells == rows->n_before || (!norms && !rows->found[GTR_ROLE_STEP].there &&
                                                 !(counted && rows->found[GTR_ROLE_LOSS].there))) {
        pass_over(rows);
        return GTR_OK;
    }
    rc = step_of(rows, norms, &index, err);
    if (rc == GTR_OK)
        rc = note_keys(rows, err);
    if (rc == GTR_OK)
        rc = gtr_log_end_row(rows->log, index, rows->line, err);
    return rc;
}

/* --- logs without norms ---------------------------------------------------------------------- */

enum gtr_code gtr_log_rows_finish(const struct gtr_log_rows *rows, struct gtr_err *err)
{
    const char *named = rows->said->given[GTR_ROLE_NAME], *name = rows->log->name;
    char list[160] = "";
    size_t used = 0, i;

    if (rows->log->names.n_names > 0)
        return GTR_OK;
    for (i = 0; i < rows->keys.names.n_names && used < sizeof list; i++)
        if (gtr_log_name_is_text(key_text(rows, (uint32_t)i)))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.60s",
                                     used > 0 ? ", " : "", key_text(rows, (uint32_t)i));
    if (used >= sizeof list)
        memcpy(list + sizeof list - 4, "...", 4);
    if (used == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: no key has a number", name);
    if (named != NULL)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: no line has both %.60s and a norm; keys with "
                        "numbers: %s",
                        name, named, list);
    return gtr_writers_no_norms(&rows->log->seen, name, "key", list, err);
}
