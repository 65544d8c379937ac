/* import_jsonl.c - JSON lines, as experiment trackers and training scripts write them.
 *
 *     {"_step": 3, "train/loss": 2.1, "grad_norm": {"q_proj": 0.25, "k_proj": NaN}}
 *
 * Objects inside objects are read as if their keys were joined, by / or by a dot: whichever a
 * glob matches.  Rows of one step are merged, and rows without norms (evaluation, system load)
 * are passed over.  The key that counts steps is chosen once, in the first row that has both one
 * and anything to keep.
 */
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_keys.h"
#include "lines.h"
#include "logbook.h"
#include "text.h"

enum { LINE_MAX_MIB = 16 }; /* a parsed line takes some thirty times its length */

/* The best value that the present row has for a role. */
struct found {
    uint16_t rank;
    double value; /* GTR_ROLE_STEP, _LOSS, _LR, _NORM, _SUMSQ */
    uint32_t key;
    bool there;
};

struct reader {
    struct gtr_log *log;
    struct gtr_lines *lines;
    const struct gtr_columns *said;
    struct gtr_json_keys keys;
    struct found found[GTR_ROLE_COUNT];
    char series[GTR_LOG_NAME_MAX + 2]; /* value of the name= key; one byte too long is told */
    uint32_t step_key;                 /* GTR_NAMES_NONE until it is chosen */
};

static const char *key_text(const struct reader *reader, uint32_t number)
{
    return gtr_json_keys_text(&reader->keys, number);
}

static enum gtr_code fail_line(const struct reader *reader, const char *key, const char *what,
                               struct gtr_err *err)
{
    return gtr_fail(err, GTR_EFORMAT, "%s:%llu: %.80s: %s", reader->log->name,
                    (unsigned long long)reader->lines->number, key, what);
}

static enum gtr_code bad_number(const struct reader *reader, const char *key, double value,
                                const char *what, struct gtr_err *err)
{
    char text[GTR_NUMBER_SIZE + 64];

    gtr_text_print(value, text);
    snprintf(text + strlen(text), sizeof text - strlen(text), " %s", what);
    return fail_line(reader, key, text, err);
}

/* --- values ---------------------------------------------------------------------------------- */

/* Numbers, and strings that hold one: strict JSON has no NaN, so that some write "NaN". */
static bool number_of(struct json_object *json, double *value)
{
    switch (json_object_get_type(json)) {
    case json_type_double:
        *value = json_object_get_double(json);
        return true;
    case json_type_int:
        *value = (double)json_object_get_int64(json);
        if (json_object_get_int64(json) == INT64_MAX)
            *value = (double)json_object_get_uint64(json);
        return true;
    case json_type_string:
        return gtr_text_number(json_object_get_string(json), value);
    default:
        return false;
    }
}

/* json-c keeps whole numbers in 64 bits and cuts what is larger. */
static bool was_cut(struct json_object *json)
{
    return json_object_get_type(json) == json_type_int &&
           (json_object_get_uint64(json) == UINT64_MAX || json_object_get_int64(json) == INT64_MIN);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void take_role(struct reader *reader, uint32_t number, double value)
{
    const struct gtr_json_key *key = &reader->keys.keys[number];
    struct found *found = &reader->found[key->role];

    if (key->role == GTR_ROLE_STEP && reader->step_key != GTR_NAMES_NONE &&
        number != reader->step_key)
        return;
    if (found->there && found->rank <= key->rank)
        return;
    *found = (struct found){ .rank = key->rank, .value = value, .key = number, .there = true };
}

static enum gtr_code take_norm(struct reader *reader, const char *key, uint32_t owner, double value,
                               struct gtr_err *err)
{
    if (value < 0.0)
        return bad_number(reader, key, value, "is negative; a norm cannot be", err);
    return gtr_log_add(reader->log, owner, value, err);
}

/* One value that is neither object nor list. */
static enum gtr_code take(struct reader *reader, struct json_object *json, struct gtr_err *err)
{
    const char *name_key = reader->said->given[GTR_ROLE_NAME];
    enum gtr_code rc;
    double value;
    uint32_t number;
    struct gtr_json_key key;

    if (name_key != NULL && gtr_json_keys_are(&reader->keys, name_key)) {
        snprintf(reader->series, sizeof reader->series, "%s", json_object_get_string(json));
        return GTR_OK;
    }
    if (reader->keys.n > GTR_LOG_NAME_MAX || !number_of(json, &value))
        return GTR_OK;
    rc = gtr_json_keys_intern(&reader->keys, reader->lines->number, &number, err);
    if (rc != GTR_OK)
        return rc;
    key = reader->keys.keys[number];
    if (key.role == GTR_ROLE_COUNT && key.owner == GTR_LOG_NOT_SERIES)
        return GTR_OK;
    if (was_cut(json))
        return fail_line(reader, key_text(reader, number),
                         "a whole number too large to be read exactly; write it as in 1e20", err);
    if (key.role == GTR_ROLE_COUNT)
        return take_norm(reader, key_text(reader, number), key.owner, value, err);
    take_role(reader, number, value);
    return GTR_OK;
}

/* Takes every value in an object.  json-c has bounded the depth. */
static enum gtr_code walk(struct reader *reader, struct json_object *json, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    /* Histograms and media of Weights & Biases: their numbers are no norms. */
    if (reader->keys.n > 0 && json_object_object_get_ex(json, "_type", NULL))
        return GTR_OK;
    json_object_object_foreach(json, key, value)
    {
        size_t before = reader->keys.n;

        if (value == NULL || json_object_is_type(value, json_type_array))
            continue;
        rc = gtr_json_keys_push(&reader->keys, key, err);
        if (rc == GTR_OK)
            rc = json_object_is_type(value, json_type_object) ? walk(reader, value, err)
                                                              : take(reader, value, err);
        if (rc != GTR_OK)
            return rc;
        reader->keys.n = before;
    }
    return rc;
}

/* name= and norm= in one object: a long table in JSON. */
static enum gtr_code take_named(struct reader *reader, struct gtr_err *err)
{
    bool squares = reader->said->given[GTR_ROLE_SUMSQ] != NULL;
    const struct found *norm = &reader->found[squares ? GTR_ROLE_SUMSQ : GTR_ROLE_NORM];
    enum gtr_code rc;
    uint32_t owner;
    bool added;

    if (reader->series[0] == '\0' || !norm->there)
        return GTR_OK;
    rc = gtr_log_intern(reader->log, reader->series, (uint32_t)reader->log->globs.n_globs,
                        reader->lines->number, &owner, &added, err);
    if (rc != GTR_OK)
        return rc;
    reader->log->summary.squares = squares;
    return take_norm(reader, key_text(reader, norm->key), owner, norm->value, err);
}

static enum gtr_code no_step(const struct reader *reader, struct gtr_err *err)
{
    const char *said = reader->said->given[GTR_ROLE_STEP];
    char list[160];

    gtr_role_list(GTR_ROLE_STEP, list, sizeof list);
    if (reader->step_key != GTR_NAMES_NONE)
        said = key_text(reader, reader->step_key);
    if (said != NULL)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s:%llu: norms without a step: no key %.60s; name another with --columns "
                        "step=KEY",
                        reader->log->name, (unsigned long long)reader->lines->number, said);
    return gtr_fail(err, GTR_EFORMAT,
                    "%s:%llu: norms without a step: no key is one of %s; name it with --columns "
                    "step=KEY",
                    reader->log->name, (unsigned long long)reader->lines->number, list);
}

/* For the record: which keys gave step, loss and learning rate. */
static enum gtr_code note_keys(const struct reader *reader, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t role;

    for (role = 0; rc == GTR_OK && role < GTR_ROLE_COUNT; role++)
        if (reader->found[role].there)
            rc = gtr_log_use(reader->log, (enum gtr_role)role,
                             key_text(reader, reader->found[role].key), err);
    return rc;
}

static enum gtr_code end_row(struct reader *reader, bool norms, struct gtr_err *err)
{
    const struct found *step = &reader->found[GTR_ROLE_STEP];
    struct gtr_log *log = reader->log;
    enum gtr_code rc;
    int64_t index;

    if (!step->there && norms)
        return no_step(reader, err);
    if (!step->there ||
        (!norms && !reader->found[GTR_ROLE_LOSS].there && !reader->found[GTR_ROLE_LR].there)) {
        log->summary.n_idle_rows++;
        gtr_log_drop_row(log);
        return GTR_OK;
    }
    if (!gtr_log_step_from(step->value, &index))
        return bad_number(reader, key_text(reader, step->key), step->value,
                          "is not a whole step number", err);
    reader->step_key = step->key;
    rc = note_keys(reader, err);
    if (rc == GTR_OK)
        rc = gtr_log_end_row(log, index, reader->lines->number, err);
    return rc;
}

static enum gtr_code take_row(struct reader *reader, struct json_object *row, struct gtr_err *err)
{
    size_t before = reader->log->n_cells;
    enum gtr_code rc;
    bool norms;

    memset(reader->found, 0, sizeof reader->found);
    reader->keys.n = 0;
    reader->series[0] = '\0';
    rc = walk(reader, row, err);
    if (rc == GTR_OK)
        rc = take_named(reader, err);
    norms = reader->log->n_cells > before;
    if (rc == GTR_OK && reader->found[GTR_ROLE_LOSS].there)
        rc = gtr_log_add(reader->log, GTR_LOG_LOSS, reader->found[GTR_ROLE_LOSS].value, err);
    if (rc == GTR_OK && reader->found[GTR_ROLE_LR].there)
        rc = gtr_log_add(reader->log, GTR_LOG_LR, reader->found[GTR_ROLE_LR].value, err);
    return rc == GTR_OK ? end_row(reader, norms, err) : rc;
}

/* --- lines ----------------------------------------------------------------------------------- */

static enum gtr_code not_json(const struct reader *reader, struct json_tokener *tokener,
                              struct gtr_err *err)
{
    enum json_tokener_error error = json_tokener_get_error(tokener);
    const char *what = "goes on after the object";

    if (*gtr_lines_trimmed(reader->lines) == '[')
        return gtr_fail(err, GTR_EFORMAT,
                        "%s:%llu: a JSON list, not an object on each line; jq -c '.[]' makes it so",
                        reader->log->name, (unsigned long long)reader->lines->number);
    if (error == json_tokener_continue)
        what = "the object does not end on its line; jq -c . makes it one line";
    else if (error != json_tokener_success)
        what = json_tokener_error_desc(error);
    return gtr_fail(err, GTR_EFORMAT, "%s:%llu: no object of JSON: byte %zu: %s", reader->log->name,
                    (unsigned long long)reader->lines->number,
                    json_tokener_get_parse_end(tokener) + 1, what);
}

/* Does a key hold \u0000?  json-c would end the key there and take "a\u0000b" and "a\u0000c" for
 * one series. */
static bool has_cut_key(const char *text)
{
    bool inside = false, cut = false;

    if (strstr(text, "\\u0000") == NULL)
        return false;
    for (; *text != '\0'; text++) {
        if (!inside) {
            cut = cut && *text != '"';
            inside = *text == '"';
            if (cut && *text == ':')
                return true;
        } else if (*text == '\\') {
            cut = cut || strncmp(text, "\\u0000", 6) == 0;
            text += text[1] != '\0';
        } else {
            inside = *text != '"';
        }
    }
    return false;
}

/* Parses the line; *row NULL without failure if it is the half line that a killed run left. */
static enum gtr_code parse_line(struct reader *reader, struct json_tokener *tokener,
                                struct json_object **row, struct gtr_err *err)
{
    const struct gtr_lines *lines = reader->lines;
    size_t end;

    *row = NULL;
    if (lines->n > (size_t)LINE_MAX_MIB << 20)
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: line longer than %d MiB; is it JSON lines?",
                        reader->log->name, (unsigned long long)lines->number, LINE_MAX_MIB);
    if (has_cut_key(lines->text))
        return gtr_fail(err, GTR_EFORMAT, "%s:%llu: a key holds \\u0000, which no name may",
                        reader->log->name, (unsigned long long)lines->number);
    json_tokener_reset(tokener);
    *row = json_tokener_parse_ex(tokener, lines->text, (int)lines->n);
    end = json_tokener_get_parse_end(tokener);
    if (*row == NULL && json_tokener_get_error(tokener) == json_tokener_continue &&
        !lines->complete && *gtr_lines_trimmed(lines) == '{') {
        reader->log->summary.cut_short = true;
        return GTR_OK;
    }
    if (*row != NULL && json_object_is_type(*row, json_type_object) &&
        lines->text[end + strspn(lines->text + end, " \t\r")] == '\0')
        return GTR_OK;
    json_object_put(*row);
    *row = NULL;
    return not_json(reader, tokener, err);
}

static enum gtr_code read_rows(struct reader *reader, struct json_tokener *tokener,
                               struct gtr_err *err)
{
    enum gtr_code rc;
    bool more;

    while ((rc = gtr_lines_next_meaning(reader->lines, &more, err)) == GTR_OK && more) {
        struct json_object *row;

        rc = parse_line(reader, tokener, &row, err);
        if (rc == GTR_OK && row != NULL)
            rc = take_row(reader, row, err);
        json_object_put(row);
        if (rc != GTR_OK)
            break;
    }
    return rc;
}

/* Says which keys of numbers there were. */
static enum gtr_code no_norms(const struct reader *reader, struct gtr_err *err)
{
    const char *named = reader->said->given[GTR_ROLE_NAME], *name = reader->log->name;
    char list[160] = "";
    size_t used = 0, i;

    for (i = 0; i < reader->keys.names.n_names && used < sizeof list; i++)
        if (gtr_log_name_is_text(key_text(reader, (uint32_t)i)))
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%.60s",
                                     used > 0 ? ", " : "", key_text(reader, (uint32_t)i));
    if (used >= sizeof list)
        memcpy(list + sizeof list - 4, "...", 4);
    if (used == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: no key has a number", name);
    if (named != NULL)
        return gtr_fail(err, GTR_EFORMAT,
                        "%s: no line has both %.60s and a norm; keys with "
                        "numbers: %s",
                        name, named, list);
    return gtr_fail(err, GTR_EFORMAT, "%s: no key of norms among %s; name them: --keys GLOB", name,
                    list);
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

enum gtr_code gtr_log_read_jsonl(struct gtr_log *log, struct gtr_lines *lines,
                                 const struct gtr_columns *columns, struct gtr_err *err)
{
    struct reader reader = { .log = log,
                             .lines = lines,
                             .said = columns,
                             .keys = { .log = log, .said = columns },
                             .step_key = GTR_NAMES_NONE };
    struct json_tokener *tokener = json_tokener_new();
    enum gtr_code rc;

    log->strip = true;
    log->summary.format = "jsonl";
    rc = tokener != NULL ? check_said(columns, err)
                         : gtr_fail(err, GTR_ENOMEM, "%s: no memory for a parser", log->name);
    if (rc == GTR_OK && columns->given[GTR_ROLE_NAME] == NULL)
        rc = gtr_log_take_globs(log, columns, err);
    if (rc == GTR_OK)
        rc = read_rows(&reader, tokener, err);
    if (rc == GTR_OK && log->names.n_names == 0)
        rc = no_norms(&reader, err);
    gtr_json_keys_free(&reader.keys);
    if (tokener != NULL)
        json_tokener_free(tokener);
    return rc;
}
