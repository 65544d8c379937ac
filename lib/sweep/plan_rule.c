/* plan_rule.c - constraints: which points of a plan are worth running.
 *
 * "low<high" becomes one rule for each policy that has both parameters.  What counts is what all
 * groups share: KEY@GLOB does not enter.
 */
#include "plan_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alloc.h"
#include "text.h"

enum { SIDE_SIZE = 80, NAMES_MAX = 128 };

/* A constraint as text. */
struct comparison {
    char side[2][SIDE_SIZE];
    bool is_number[2];
    double number[2];
    bool above, strict;
};

static bool copy_trimmed(const char *text, size_t length, char side[SIDE_SIZE])
{
    while (length > 0 && text[length - 1] == ' ')
        length--;
    for (; length > 0 && *text == ' '; length--)
        text++;
    if (length == 0 || length >= SIDE_SIZE)
        return false;
    memcpy(side, text, length);
    side[length] = '\0';
    return true;
}

static enum gtr_code read_comparison(const char *text, struct comparison *c, struct gtr_err *err)
{
    const size_t left = strcspn(text, "<>");
    const char *right = text + left + 1;
    size_t s;

    memset(c, 0, sizeof *c);
    if (text[left] == '\0')
        return gtr_fail(err, GTR_EUSAGE,
                        "%.80s: is not a constraint; write KEY<KEY or KEY<NUMBER with one of "
                        "< <= > >=",
                        text);
    c->above = text[left] == '>';
    c->strict = *right != '=';
    right += !c->strict;
    if (right[strcspn(right, "<>=")] != '\0')
        return gtr_fail(err, GTR_EUSAGE,
                        "%.80s: has more than one comparison; write each as a constraint of its "
                        "own",
                        text);
    if (!copy_trimmed(text, left, c->side[0]) || !copy_trimmed(right, strlen(right), c->side[1]))
        return gtr_fail(err, GTR_EUSAGE, "%.80s: needs a key or a number on both sides", text);
    for (s = 0; s < 2; s++) {
        c->is_number[s] = gtr_text_number(c->side[s], &c->number[s]);
        if (c->is_number[s] && isnan(c->number[s]))
            return gtr_fail(err, GTR_EUSAGE, "%.80s: nothing compares with nan", text);
    }
    if (c->is_number[0] && c->is_number[1])
        return gtr_fail(err, GTR_EUSAGE, "%.80s: compares two numbers; write a key on one side",
                        text);
    return GTR_OK;
}

/* The rule of one policy; false if it lacks a key. */
static bool resolve(const struct comparison *c, const struct gtr_policy_spec *policy,
                    struct gtr_rule *rule)
{
    size_t s;

    rule->above = c->above;
    rule->strict = c->strict;
    for (s = 0; s < 2; s++) {
        rule->number[s] = c->number[s];
        rule->param[s] = c->is_number[s] ? NULL : gtr_param_find(policy, c->side[s]);
        if (!c->is_number[s] && rule->param[s] == NULL)
            return false;
    }
    return true;
}

/* No policy has what the constraint asks for: a key that none of them has, or keys of two. */
static enum gtr_code no_such_keys(const struct gtr_plan *plan, const char *text,
                                  const struct comparison *c, struct gtr_err *err)
{
    const char *names[NAMES_MAX], *nearest;
    size_t n = 0, s, p, i;

    for (p = 0; p < plan->n_policies; p++) {
        const struct gtr_policy_spec *policy = plan->policies[p].setting->policy;

        for (i = 0; i < policy->n_params && n < NAMES_MAX; i++)
            names[n++] = policy->params[i].name;
    }
    for (s = 0; s < 2; s++) {
        bool known = c->is_number[s];

        for (i = 0; i < n && !known; i++)
            known = strcmp(names[i], c->side[s]) == 0;
        if (known)
            continue;
        nearest = gtr_text_nearest(c->side[s], names, n);
        return gtr_fail(err, GTR_EUSAGE, "%.80s: %.80s: no policy here has such a parameter%s%s%s",
                        text, c->side[s], nearest != NULL ? "; did you mean " : "",
                        nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    }
    return gtr_fail(err, GTR_EUSAGE, "%.80s: no policy here has both %.80s and %.80s", text,
                    c->side[0], c->side[1]);
}

enum gtr_code gtr_rules_parse(struct gtr_plan *plan, const char *const *texts, size_t n,
                              struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    struct comparison c;
    size_t capacity = 0, i, p;

    for (i = 0; rc == GTR_OK && i < n; i++) {
        const size_t before = plan->n_rules;

        rc = read_comparison(texts[i], &c, err);
        for (p = 0; rc == GTR_OK && p < plan->n_policies; p++) {
            struct gtr_rule rule = { .policy = p };

            if (!resolve(&c, plan->policies[p].setting->policy, &rule))
                continue;
            rc = gtr_grow(&plan->rules, &capacity, plan->n_rules + 1, sizeof *plan->rules, err);
            if (rc == GTR_OK)
                plan->rules[plan->n_rules++] = rule;
        }
        if (rc == GTR_OK && plan->n_rules == before)
            rc = no_such_keys(plan, texts[i], &c, err);
    }
    return rc;
}

bool gtr_rule_holds(const struct gtr_rule *rule, const union gtr_params *params)
{
    double side[2];
    size_t s;

    for (s = 0; s < 2; s++)
        side[s] = rule->param[s] != NULL ? gtr_param_get(rule->param[s], params) : rule->number[s];
    if (rule->above)
        return rule->strict ? side[0] > side[1] : side[0] >= side[1];
    return rule->strict ? side[0] < side[1] : side[0] <= side[1];
}
