/* setting_value.c - VALUE: a number in a range, or one of a few words. */
#define _GNU_SOURCE
#include "setting_parts.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "alloc.h"
#include "text.h"

enum { WORDS_MAX = 8, WORD_SIZE = 32 }; /* the catalogue's longest list has 3 short words */

const char *gtr_setting_word(const char *choices, size_t index, size_t *length)
{
    while (index > 0) {
        choices = strchr(choices, '|');
        if (choices == NULL)
            return NULL;
        choices++;
        index--;
    }
    *length = strcspn(choices, "|");
    return choices;
}

void gtr_setting_join(const char *const *names, size_t n, char *list, size_t size)
{
    static const char more[] = "...";
    size_t used = 0, i;

    list[0] = '\0';
    for (i = 0; i < n; i++) {
        size_t length = strlen(names[i]);

        /* What is added here must leave room for a comma and the dots. */
        if (used + length + 2 + sizeof more > size) {
            memcpy(list + used, more, sizeof more);
            return;
        }
        memcpy(list + used, names[i], length);
        used += length;
        strcpy(list + used, i + 1 < n ? ", " : "");
        used += 2;
    }
}

/* People write switches in many ways, and none of them means anything else. */
static bool read_switch(const char *text, double *value)
{
    static const char *const words[][2] = { { "no", "yes" }, { "false", "true" }, { "0", "1" } };
    size_t i, on;

    for (i = 0; i < GTR_ARRAY_LEN(words); i++) {
        for (on = 0; on < 2; on++) {
            if (strcasecmp(text, words[i][on]) == 0) {
                *value = (double)on;
                return true;
            }
        }
    }
    return false;
}

static enum gtr_code read_word(const char *setting, const char *key, const char *choices,
                               const char *text, double *value, struct gtr_err *err)
{
    char words[WORDS_MAX][WORD_SIZE], list[WORDS_MAX * (WORD_SIZE + 2)];
    const char *names[WORDS_MAX], *word, *nearest;
    size_t n = 0, length;

    for (; n < WORDS_MAX && (word = gtr_setting_word(choices, n, &length)) != NULL; n++) {
        snprintf(words[n], WORD_SIZE, "%.*s", (int)length, word);
        names[n] = words[n];
        if (strcmp(words[n], text) == 0) {
            *value = (double)n;
            return GTR_OK;
        }
    }
    if (strcmp(choices, "off|on") == 0 && read_switch(text, value))
        return GTR_OK;
    gtr_setting_join(names, n, list, sizeof list);
    nearest = gtr_text_nearest(text, names, n);
    return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s=%.80s: must be one of %s%s%s%s", setting, key,
                    text, list, nearest != NULL ? "; did you mean " : "",
                    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}

enum gtr_code gtr_setting_read_value(const char *setting, const char *key,
                                     const struct gtr_param_spec *param, const char *text,
                                     double *value, struct gtr_err *err)
{
    char min[GTR_NUMBER_SIZE], max[GTR_NUMBER_SIZE];

    if (param->choices != NULL)
        return read_word(setting, key, param->choices, text, value, err);
    if (!gtr_text_number(text, value))
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s=%.80s: is not a number", setting, key, text);
    if (*value >= param->min && *value <= param->max) { /* false for NaN */
        *value += 0.0;                                  /* -0 becomes 0 */
        return GTR_OK;
    }
    gtr_text_print(param->min, min);
    gtr_text_print(param->max, max);
    if (isinf(param->max))
        return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s=%.80s: must be at least %s", setting, key,
                        text, min);
    return gtr_fail(err, GTR_EUSAGE, "%.60s: %.80s=%.80s: must be from %s to %s", setting, key,
                    text, min, max);
}
