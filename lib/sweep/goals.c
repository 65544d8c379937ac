/* goals.c - limits and goals from text, and on rows. */
#include "goals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sweep.h"
#include "text.h"

enum { WORD_SIZE = 64 }; /* several times the longest name */

/* The objective called text[0 .. length), told by `whole`, what the user typed. */
static enum gtr_code read_objective(const char *whole, const char *text, size_t length,
                                    enum gtr_objective *objective, struct gtr_err *err)
{
    const char *names[GTR_OBJECTIVE_COUNT], *nearest;
    char word[WORD_SIZE], list[GTR_OBJECTIVE_COUNT * WORD_SIZE] = "";
    size_t used = 0, i;

    while (length > 0 && *text == ' ') {
        text++;
        length--;
    }
    while (length > 0 && text[length - 1] == ' ')
        length--;
    snprintf(word, sizeof word, "%.*s", length < WORD_SIZE ? (int)length : WORD_SIZE - 1, text);
    if (length == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.100s: an objective is missing; write, for example, "
                        "volatility",
                        whole);
    *objective = gtr_objective_find(word);
    if (*objective != GTR_OBJECTIVE_COUNT)
        return GTR_OK;
    for (i = 0; i < GTR_OBJECTIVE_COUNT; i++) {
        names[i] = gtr_objective_name((enum gtr_objective)i);
        used += (size_t)snprintf(list + used, WORD_SIZE, "%s %s", i > 0 ? "," : "", names[i]);
    }
    nearest = gtr_text_nearest(word, names, GTR_OBJECTIVE_COUNT);
    if (nearest != NULL)
        return gtr_fail(err, GTR_EUSAGE, "%.100s: there is no objective %.63s; did you mean %s?",
                        whole, word, nearest);
    return gtr_fail(err, GTR_EUSAGE, "%.80s: there is no objective %.40s; it must be one of%s",
                    whole, word, list);
}

/* --- limits ----------------------------------------------------------------------------------- */

enum gtr_code gtr_limit_parse(const char *text, struct gtr_limit *limit, struct gtr_err *err)
{
    const char *sign = strpbrk(text, "<>"), *number;
    enum gtr_code rc;

    if (sign == NULL)
        return gtr_fail(err, GTR_EUSAGE,
                        "%.100s: a limit needs one of < <= > >=, as in clip_rate<0.1", text);
    rc = read_objective(text, text, (size_t)(sign - text), &limit->objective, err);
    if (rc != GTR_OK)
        return rc;
    limit->above = *sign == '>';
    limit->strict = sign[1] != '=';
    number = sign + (limit->strict ? 1 : 2);
    if (!gtr_text_number(number, &limit->value) || isnan(limit->value))
        return gtr_fail(err, GTR_EUSAGE,
                        "%.100s: %.60s is not a number; write, for example, %s%s0.1", text,
                        *number != '\0' ? number : "nothing", gtr_objective_name(limit->objective),
                        limit->above ? ">" : "<");
    return GTR_OK;
}

static bool keeps(const struct gtr_limit *limit, double x)
{
    if (limit->above)
        return limit->strict ? x > limit->value : x >= limit->value;
    return limit->strict ? x < limit->value : x <= limit->value;
}

void gtr_limits_apply(const struct gtr_limit *limits, size_t n_limits, const double *rows, size_t n,
                      bool *keep)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        const double *row = rows + i * GTR_OBJECTIVE_COUNT;

        keep[i] = true;
        for (k = 0; k < n_limits && keep[i]; k++)
            keep[i] = keeps(&limits[k], row[limits[k].objective]);
    }
}

/* --- goals ------------------------------------------------------------------------------------ */

/* [NUMBER*]NAME; *text is moved behind it, to the sign of the next term or the end. */
static enum gtr_code read_term(const char *whole, const char **text, double *weight,
                               enum gtr_objective *objective, struct gtr_err *err)
{
    const char *after = gtr_text_number_prefix(*text, weight);
    enum gtr_code rc;
    size_t length;

    if (after == NULL) {
        *weight = 1.0;
    } else {
        after += strspn(after, " ");
        if (*after != '*' || !isfinite(*weight))
            return gtr_fail(err, GTR_EUSAGE,
                            "%.100s: %.60s: a term is an objective or NUMBER*OBJECTIVE, as in "
                            "volatility+2*leak",
                            whole, *text);
        *text = after + 1;
    }
    length = strcspn(*text, "+-");
    rc = read_objective(whole, *text, length, objective, err);
    *text += length;
    return rc;
}

static void add_term(struct gtr_goal *goal, enum gtr_objective objective, double weight)
{
    size_t k = 0;

    while (k < goal->n_terms && goal->objective[k] != objective)
        k++;
    if (k == goal->n_terms) {
        goal->objective[k] = objective;
        goal->weight[k] = 0.0;
        goal->n_terms++;
    }
    goal->weight[k] += weight;
}

enum gtr_code gtr_goal_parse(const char *text, struct gtr_goal *goal, struct gtr_err *err)
{
    const char *rest = text + strspn(text, " ");
    double sign = 1.0, weight;
    enum gtr_objective objective;
    enum gtr_code rc;

    goal->n_terms = 0;
    if (*rest == '-') {
        sign = -1.0;
        rest++;
    }
    for (;;) {
        rc = read_term(text, &rest, &weight, &objective, err);
        if (rc != GTR_OK)
            return rc;
        add_term(goal, objective, sign * weight);
        if (*rest == '\0')
            return GTR_OK;
        sign = *rest == '-' ? -1.0 : 1.0;
        rest++;
    }
}

double gtr_goal_value(const struct gtr_goal *goal, const double *row)
{
    double sum = goal->weight[0] * row[goal->objective[0]];
    size_t k;

    for (k = 1; k < goal->n_terms; k++)
        sum += goal->weight[k] * row[goal->objective[k]];
    return sum;
}

bool gtr_goal_values(const struct gtr_goal *goals, size_t n_goals, const double *row,
                     double *values)
{
    size_t k;

    for (k = 0; k < n_goals; k++) {
        values[k] = gtr_goal_value(&goals[k], row);
        if (!isfinite(values[k]))
            return false;
    }
    return true;
}
