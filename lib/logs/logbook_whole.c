/* logbook_whole.c - norms that are no parts of one gradient beside the others.
 *
 * The series of a trace are parts: their squares add up to that of the whole gradient.  Logs hold
 * more than that: a total beside its parts, the norm after clipping beside the norm before, the
 * same curve over steps and over samples, the runs of a panel, the optimizers of an actor and a
 * critic.  What can be told by names is told by names, word by word; of the rest, a column that
 * equals another at every step, or is the root of the others' squares, is no further part.
 * A user who chose the series is not corrected.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "digest.h"
#include "logbook.h"

enum { WORD_MAX = 40, LEAST_STEPS = 3 /* equal at fewer steps is chance */ };

/* --- words of a name -------------------------------------------------------------------------- */

static const char *const norm_words[] = { "grad",   "grads",    "gradient", "gradients", "norm",
                                          "norms",  "gradnorm", "gnorm",    "l2",        "total",
                                          "global", "overall",  "all",      "unscaled" };

/* What is before or behind a norm and says nothing about a part. */
static const char *const beside_words[] = { "train", "trainer",   "training", "optim", "metrics",
                                            "data",  "log",       "stats",    "vs",    "samples",
                                            "step",  "optimizer", "opt",      "perf",  "monitor" };

/* Each has an optimizer, and most often a clip, of its own. */
static const char *const owner_words[] = {
    "actor", "critic", "policy", "value",         "vf",   "pi", "qf", "qf1",  "qf2", "generator",
    "gen",   "disc",   "netg",   "discriminator", "netd", "g",  "d",  "alpha"
};

static const char *const clipped_words[] = { "clipped", "postclip", "afterclip", "afterclipping" };
static const char *const unclipped_words[] = { "unclipped", "preclip", "beforeclip",
                                               "beforeclipping", "raw" };

#define IN(word, list) is_among((word), (list), GTR_ARRAY_LEN(list))

static bool is_among(const char *word, const char *const *list, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (strcasecmp(word, list[i]) == 0)
            return true;
    return false;
}

/* Takes the next word off a name; false at its end.  "after_clip" is one word. */
static bool next_word(const char **name, char word[WORD_MAX])
{
    size_t n = 0;

    while (**name != '\0' && !isalnum((unsigned char)**name))
        ++*name;
    for (; isalnum((unsigned char)**name); ++*name)
        if (n + 1 < WORD_MAX)
            word[n++] = (char)tolower((unsigned char)**name);
    word[n] = '\0';
    if (strcmp(word, "after") == 0 || strcmp(word, "before") == 0 || strcmp(word, "pre") == 0 ||
        strcmp(word, "post") == 0) {
        const char *rest = *name + (**name == '_' || **name == '-' || **name == ' ' ? 1 : 0);
        size_t length = strncasecmp(rest, "clipping", 8) == 0 ? 8 : 4;

        if (strncasecmp(rest, "clip", 4) == 0 && !isalnum((unsigned char)rest[length])) {
            strcat(word, length == 8 ? "clipping" : "clip");
            *name = rest + length;
        }
    }
    return n > 0;
}

static bool is_number(const char *word)
{
    return word[strspn(word, "0123456789")] == '\0';
}

/* What a name is the norm of. */
enum about { A_PART, THE_WHOLE, AN_OWNER };

static enum about about(const char *name)
{
    bool numbered = strcasestr(name, "optim") != NULL, owner = false;
    char word[WORD_MAX];

    while (next_word(&name, word)) {
        if (IN(word, owner_words))
            owner = true;
        else if (is_number(word) && numbered)
            owner = true;
        else if (!IN(word, norm_words) && !IN(word, beside_words) && !IN(word, clipped_words) &&
                 !IN(word, unclipped_words) && strcmp(word, "2") != 0 && strcmp(word, "0") != 0)
            return A_PART;
    }
    return owner ? AN_OWNER : THE_WHOLE;
}

/* Does the name say "clipped"?  And the rest of it, for comparison. */
static bool is_clipped(const char *name, char *stem, size_t size)
{
    bool clipped = false;
    char word[WORD_MAX];
    size_t used = 0;

    stem[0] = '\0';
    while (next_word(&name, word))
        if (IN(word, clipped_words))
            clipped = true;
        else if (!IN(word, unclipped_words) && used < size)
            used += (size_t)snprintf(stem + used, size - used, "%s ", word);
    return clipped;
}

/* --- by names --------------------------------------------------------------------------------- */

static const char *text_of(const struct gtr_log *log, size_t i)
{
    return gtr_names_text(&log->names, (uint32_t)i);
}

static bool is_series(const struct gtr_log *log, size_t i)
{
    return log->about[i].place != GTR_LOG_NOT_SERIES;
}

static size_t count_owners(const struct gtr_log *log)
{
    size_t i, n = 0;

    for (i = 0; i < log->names.n_names; i++)
        n += is_series(log, i) && about(text_of(log, i)) == AN_OWNER;
    return n;
}

/* grad_norm_clipped beside grad_norm. */
static enum gtr_code drop_clipped(struct gtr_log *log, struct gtr_err *err)
{
    char stem[GTR_LOG_NAME_MAX + 1], other[GTR_LOG_NAME_MAX + 1];
    enum gtr_code rc = GTR_OK;
    size_t i, j;

    for (i = 0; rc == GTR_OK && i < log->names.n_names; i++) {
        if (!is_series(log, i) || !is_clipped(text_of(log, i), stem, sizeof stem))
            continue;
        for (j = 0; j < log->names.n_names; j++)
            if (j != i && is_series(log, j) && !is_clipped(text_of(log, j), other, sizeof other) &&
                strcmp(stem, other) == 0)
                break;
        if (j < log->names.n_names) {
            rc = gtr_log_leave_out(log, (uint32_t)i, "the norm after clipping, beside that before",
                                   err);
            log->summary.grad_state = "pre-clip";
        }
    }
    return rc;
}

/* Is the name without its last n bytes, and with `end` instead, another series? */
static bool has_twin(const struct gtr_log *log, const char *name, size_t n, const char *end)
{
    char twin[GTR_LOG_NAME_MAX + 8];
    uint32_t other;

    snprintf(twin, sizeof twin, "%.*s%s", (int)(strlen(name) - n), name, end);
    other = gtr_names_find(&log->names, twin);
    return other != GTR_NAMES_NONE && is_series(log, other);
}

/* Lightning's grad_norm_epoch beside grad_norm_step; Weights & Biases' envelope of a curve. */
static enum gtr_code drop_twins(struct gtr_log *log, struct gtr_err *err)
{
    static const struct {
        const char *end, *twin, *why;
    } twins[] = { { "_epoch", "_step", "a mean over the epoch, beside the steps" },
                  { "_epoch", "", "a mean over the epoch, beside the steps" },
                  { "__MIN", "", "the envelope of another" },
                  { "__MAX", "", "the envelope of another" } };
    enum gtr_code rc = GTR_OK;
    size_t i, k;

    for (i = 0; rc == GTR_OK && i < log->names.n_names; i++)
        for (k = 0; rc == GTR_OK && k < GTR_ARRAY_LEN(twins) && is_series(log, i); k++) {
            const char *name = text_of(log, i);
            size_t n = strlen(name), m = strlen(twins[k].end);

            if (n > m && strcmp(name + n - m, twins[k].end) == 0 &&
                has_twin(log, name, m, twins[k].twin))
                rc = gtr_log_leave_out(log, (uint32_t)i, twins[k].why, err);
        }
    return rc;
}

bool gtr_log_is_part(const char *name)
{
    return about(name) == A_PART;
}

bool gtr_log_is_total(const char *name)
{
    static const char *const totals[] = { "total",      "global",      "all",
                                          "total_norm", "global_norm", "overall" };

    return IN(name, totals);
}

/* In grad_norm/NAME, and in a column of names, NAME is what people call a total; a layer may be
 * called norm.  Elsewhere all of the name counts. */
static bool is_whole(const struct gtr_log *log, size_t i)
{
    const struct gtr_log_name *name = &log->about[i];

    if (!log->named && gtr_log_rank(log, name) >= GTR_GLOB_OF_ANY)
        return about(text_of(log, i)) == THE_WHOLE;
    return gtr_log_is_total(log->series[name->place]);
}

static size_t count_wholes(const struct gtr_log *log)
{
    size_t i, n = 0;

    for (i = 0; i < log->names.n_names; i++)
        n += is_series(log, i) && is_whole(log, i);
    return n;
}

/* Beside its parts a total would count everything twice. */
static enum gtr_code drop_totals(struct gtr_log *log, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i, n = log->summary.n_series - log->summary.n_left_out;

    if (count_owners(log) > 0 || count_wholes(log) == n)
        return GTR_OK;
    for (i = 0; rc == GTR_OK && i < log->names.n_names; i++)
        if (is_series(log, i) && is_whole(log, i))
            rc = gtr_log_leave_out(log, (uint32_t)i, "a total of the others", err);
    return rc;
}

/* --- which one? ------------------------------------------------------------------------------- */

/* A name as a glob that matches it alone, for a shell's single quotes. */
static void print_glob(const char *name, char *out, size_t size)
{
    size_t n = 0;

    for (; *name != '\0' && n + 3 < size; name++) {
        if (strchr("*?[\\", *name) != NULL)
            out[n++] = '\\';
        out[n++] = *name == '|' || *name == '\'' ? '?' : *name;
    }
    out[n] = '\0';
}

/* The series, or where `runs` the parts before " - ", as a list. */
static void list_series(const struct gtr_log *log, bool runs, char *out, size_t size)
{
    size_t used = 0, i;

    out[0] = '\0';
    for (i = 0; i < log->names.n_names && used < size; i++) {
        const char *name = text_of(log, i), *dash = strstr(name, " - ");
        int n = runs && dash != NULL ? (int)(dash - name) : (int)strlen(name);
        char quoted[GTR_LOG_NAME_MAX + 4];

        if (!is_series(log, i))
            continue;
        snprintf(quoted, sizeof quoted, "%.*s", n < 60 ? n : 60, name);
        if (!runs || strstr(out, quoted) == NULL)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", quoted);
    }
    if (used >= size)
        memcpy(out + size - 4, "...", 4);
}

static enum gtr_code ask(const struct gtr_log *log, const char *what, bool runs,
                         struct gtr_err *err)
{
    char list[300], glob[2 * GTR_LOG_NAME_MAX];
    size_t i;

    for (i = 0; i < log->names.n_names && !is_series(log, i);)
        i++;
    list_series(log, runs, list, sizeof list);
    print_glob(text_of(log, i), glob, sizeof glob);
    return gtr_fail(err, GTR_EFORMAT, "%s: %s: %s; take one: --keys '%.200s'", log->name, what,
                    list, glob);
}

/* A panel of Weights & Biases has "RUN - metric" of each run. */
static bool are_runs(const struct gtr_log *log)
{
    const char *first = NULL;
    bool several = false;
    size_t i;

    for (i = 0; i < log->names.n_names; i++) {
        const char *name = text_of(log, i), *dash = strstr(name, " - ");

        if (!is_series(log, i))
            continue;
        if (dash == NULL)
            return false;
        if (first == NULL)
            first = name;
        else if (strncmp(first, name, (size_t)(dash + 3 - name)) != 0)
            several = true;
    }
    return several;
}

enum gtr_code gtr_log_drop_by_name(struct gtr_log *log, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;

    if (log->globs.chosen)
        return GTR_OK;
    if (!log->named)
        rc = drop_twins(log, err);
    if (rc == GTR_OK && !log->named && are_runs(log))
        rc = ask(log, "columns of several runs", true, err);
    if (rc == GTR_OK && !log->named)
        rc = drop_clipped(log, err);
    if (rc == GTR_OK)
        rc = drop_totals(log, err);
    gtr_log_renumber(log);
    return rc;
}

/* --- by numbers ------------------------------------------------------------------------------- */

struct column {
    uint64_t digest; /* of all values, and where there is none */
    uint32_t name;
    double least, most;
    size_t n_tested; /* steps at which it could be the root of the others' squares */
    bool is_total;
};

static void look_at(struct column *columns, size_t n, const double *values, const uint64_t *present)
{
    double sum = 0.0;
    size_t i;

    for (i = 0; i < n; i++) {
        double value = present[i] ? values[i] : (double)NAN;

        columns[i].digest = gtr_digest_doubles(columns[i].digest, &value, 1);
        if (!present[i])
            continue;
        columns[i].least = fmin(columns[i].least, value);
        columns[i].most = fmax(columns[i].most, value);
        sum += value * value;
    }
    for (i = 0; i < n; i++) {
        double twice = present[i] ? 2.0 * values[i] * values[i] : 0.0;

        /* Logs print few digits: half a unit in the third one is 5e-3 of the square. */
        if (!isfinite(sum) || sum <= 0.0)
            continue;
        columns[i].n_tested++;
        columns[i].is_total = columns[i].is_total && fabs(twice - sum) <= 5e-3 * sum;
    }
}

static enum gtr_code survey(const struct gtr_log *log, struct column *columns, struct gtr_err *err)
{
    size_t n = log->summary.n_series, i, t;
    uint64_t *present = NULL;
    double *values = NULL;
    enum gtr_code rc;

    for (i = 0; i < n; i++)
        columns[i] = (struct column){
            .digest = GTR_DIGEST_START, .least = INFINITY, .most = -INFINITY, .is_total = true
        };
    for (i = 0; i < log->names.n_names; i++)
        if (is_series(log, i))
            columns[log->about[i].place].name = (uint32_t)i;
    rc = gtr_alloc_for(&values, n, sizeof *values, "series", err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&present, n, sizeof *present, "series", err);
    for (t = 0; rc == GTR_OK && t < log->summary.n_steps; t++) {
        gtr_log_gather(log, t, values, present);
        look_at(columns, n, values, present);
    }
    gtr_free(values);
    gtr_free(present);
    return rc;
}

/* Parts that have no gradient are equal too, and so are made-up ones: only what moves counts. */
static bool moves(const struct column *column)
{
    return column->most > column->least && column->most > 0.0;
}

/* Of equal columns the first stays. */
static enum gtr_code drop_equals(struct gtr_log *log, const struct column *columns, size_t n,
                                 struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i, j;

    for (i = 0; rc == GTR_OK && i < n; i++)
        for (j = 0; rc == GTR_OK && j < i; j++)
            if (columns[i].digest == columns[j].digest && moves(&columns[i]) &&
                is_series(log, columns[j].name)) {
                rc = gtr_log_leave_out(log, columns[i].name, "equal to another at every step", err);
                break;
            }
    return rc;
}

static enum gtr_code drop_roots(struct gtr_log *log, const struct column *columns, size_t n,
                                struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    size_t i;

    for (i = 0; rc == GTR_OK && n > 2 && i < n; i++)
        if (columns[i].is_total && columns[i].n_tested >= LEAST_STEPS && moves(&columns[i]))
            rc = gtr_log_leave_out(log, columns[i].name, "the root of the others' squares", err);
    return rc;
}

enum gtr_code gtr_log_drop_by_number(struct gtr_log *log, struct gtr_err *err)
{
    struct column *columns = NULL;
    enum gtr_code rc;

    if (log->globs.chosen || log->summary.n_series < 2 || log->summary.squares)
        return GTR_OK;
    rc = gtr_alloc_for(&columns, log->summary.n_series, sizeof *columns, "series", err);
    if (rc == GTR_OK && log->summary.n_steps >= LEAST_STEPS) {
        rc = survey(log, columns, err);
        if (rc == GTR_OK)
            rc = drop_equals(log, columns, log->summary.n_series, err);
        gtr_log_renumber(log);
        if (rc == GTR_OK)
            rc = survey(log, columns, err);
        if (rc == GTR_OK)
            rc = drop_roots(log, columns, log->summary.n_series, err);
        gtr_log_renumber(log);
    }
    gtr_free(columns);
    if (rc != GTR_OK || log->named || log->summary.n_series < 2)
        return rc;
    if (count_owners(log) == log->summary.n_series)
        return ask(log, "series that are whole gradients, each of an optimizer of its own", false,
                   err);
    if (count_wholes(log) > 1)
        return ask(log, "series that are each the norm of a whole gradient", false, err);
    return GTR_OK;
}
