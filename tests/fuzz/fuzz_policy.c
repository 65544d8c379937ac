/* fuzz_policy.c - any text as a policy setting.
 *
 * The properties: what parses prints to something that parses and prints the same; bound to
 * groups it gives the same parameters, bit for bit, before and after printing; and every refusal
 * says why.
 */
#include <stdlib.h>
#include <string.h>

#include "gradtrace_lab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A small model's groups, one with what the syntax uses in its name. */
static const char *const groups[] = { "q_proj", "k_proj", "norm", "a,b:c=d", "-" };
enum { GROUPS = sizeof groups / sizeof groups[0] };

static void must(int condition)
{
    if (!condition)
        abort();
}

/* Compared value by value: bytes between the members of a union say nothing. */
static void must_equal(enum gtr_policy_id id, const union gtr_params *a, const union gtr_params *b)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(id);
    size_t i, j;

    for (i = 0; i < GROUPS; i++) {
        for (j = 0; j < policy->n_params; j++) {
            double x = gtr_param_get(&policy->params[j], &a[i]);
            double y = gtr_param_get(&policy->params[j], &b[i]);

            must(memcmp(&x, &y, sizeof x) == 0);
        }
    }
}

static struct gtr_setting *parse(const char *text)
{
    struct gtr_setting *setting;
    struct gtr_err err = { 0 };

    if (gtr_setting_parse(text, &setting, &err) == GTR_OK)
        return setting;
    must(err.code != GTR_OK && err.text[0] != '\0');
    return NULL;
}

/* 1 if the setting binds; the error, if not, is the user's and has a text. */
static int bind(const struct gtr_setting *setting, union gtr_params *params)
{
    struct gtr_err err = { 0 };

    if (gtr_setting_bind(setting, groups, GROUPS, params, &err) == GTR_OK)
        return 1;
    must(err.code == GTR_EUSAGE && err.text[0] != '\0');
    return 0;
}

static void check_bound_text(const struct gtr_setting *setting, const union gtr_params *params)
{
    char *text = gtr_setting_print_bound(setting, groups, GROUPS, params);
    union gtr_params again[GROUPS];
    struct gtr_setting *parsed;

    must(text != NULL);
    parsed = parse(text);
    must(parsed != NULL && bind(parsed, again));
    must_equal(gtr_setting_policy(setting), params, again);
    gtr_setting_free(parsed);
    gtr_free(text);
}

static void check_printed(const struct gtr_setting *setting)
{
    char *once = gtr_setting_print(setting), *twice;
    union gtr_params params[GROUPS], again[GROUPS];
    struct gtr_setting *parsed;

    must(once != NULL);
    parsed = parse(once);
    must(parsed != NULL && gtr_setting_policy(parsed) == gtr_setting_policy(setting));
    twice = gtr_setting_print(parsed);
    must(twice != NULL && strcmp(once, twice) == 0);
    if (bind(setting, params)) {
        must(bind(parsed, again));
        must_equal(gtr_setting_policy(setting), params, again);
        check_bound_text(setting, params);
    }
    gtr_setting_free(parsed);
    gtr_free(once);
    gtr_free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct gtr_setting *setting;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    setting = parse(text);
    if (setting != NULL)
        check_printed(setting);
    gtr_setting_free(setting);
    free(text);
    return 0;
}
