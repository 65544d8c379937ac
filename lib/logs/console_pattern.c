/* console_pattern.c - lines that no format knows, as the user describes them.
 *
 *     --pattern 'it {step} of {total}: loss {loss} {} gnorm {norm}'
 *
 * The pattern may begin anywhere on the line.  {} goes as far as to the first place where what
 * follows it fits.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "console_value.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* What is between two braces at `at`, or NULL; *next is what follows. */
static const char *field(const char *at, size_t *n, const char **next)
{
    const char *end = *at == '{' ? strchr(at, '}') : NULL;

    if (end == NULL)
        return NULL;
    *n = (size_t)(end - at - 1);
    *next = end + 1;
    return at + 1;
}

static void keep(struct gtr_pairs *pairs, const char *key, size_t n, double value)
{
    if (n == 5 && memcmp(key, "total", 5) == 0) {
        if (value >= 1.0 && value <= 0x1p53 && value == rint(value))
            pairs->total = (int64_t)value;
    } else if (pairs->n < GTR_PAIRS_MAX) {
        pairs->pair[pairs->n++] = (struct gtr_pair){ key, n, value };
    }
}

/* Does the pattern, as far as its first {}, fit at `line`?  *rest is what follows there, *pattern
 * what follows the {}. */
static bool fits(const char **pattern, const char *line, const char **rest, struct gtr_pairs *pairs)
{
    const char *at = *pattern, *key, *next, *end;
    double value;
    size_t n;

    while (*at != '\0') {
        if (is_blank(*at)) {
            if (!is_blank(*line) && *line != '\0')
                return false;
            at = gtr_console_blanks(at);
            line = gtr_console_blanks(line);
            continue;
        }
        key = field(at, &n, &next);
        if (key == NULL) {
            if (*at++ != *line++)
                return false;
            continue;
        }
        at = next;
        if (n == 0)
            break;
        end = gtr_console_number(line, &value);
        if (end == NULL)
            return false;
        keep(pairs, key, n, value);
        line = end;
    }
    *pattern = at;
    *rest = line;
    return true;
}

/* Piece by piece, each at the first place where it fits: a later one would leave less for the
 * rest. */
bool gtr_cut_pattern(const char *pattern, const char *line, struct gtr_pairs *pairs)
{
    while (*pattern != '\0') {
        size_t n = pairs->n;
        int64_t total = pairs->total;

        while (!fits(&pattern, line, &line, pairs)) {
            pairs->n = n;
            pairs->total = total;
            if (*line++ == '\0')
                return false;
        }
    }
    return pairs->n > 0;
}

enum gtr_code gtr_pattern_check(const char *pattern, struct gtr_err *err)
{
    const char *at = pattern, *key, *next;
    size_t n;
    bool norm = false;

    for (; (at = strchr(at, '{')) != NULL; at = next) {
        key = field(at, &n, &next);
        if (key == NULL)
            return gtr_fail(err, GTR_EUSAGE, "--pattern %.80s: a brace is opened and never closed",
                            pattern);
        norm = norm || (n >= 4 && strncmp(key, "norm", 4) == 0 && (n == 4 || key[4] == '/'));
        if (n > GTR_LOG_NAME_MAX)
            return gtr_fail(err, GTR_EUSAGE, "--pattern: a key of %zu bytes; at most %d", n,
                            GTR_LOG_NAME_MAX);
    }
    if (norm)
        return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE,
                    "--pattern %.80s: has no {norm}; write it as in 'step {step} {} norm {norm}', "
                    "and {norm/NAME} for each of several",
                    pattern);
}
