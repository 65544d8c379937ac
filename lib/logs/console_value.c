/* console_value.c - numbers with commas, with letters for powers of ten, and beside a slash. */
#define _GNU_SOURCE
#include "console_value.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "text.h"

enum { DIGITS_MAX = 64 };

const char *gtr_console_blanks(const char *text)
{
    return text + strspn(text, " \t\r");
}

static bool three_digits(const char *text)
{
    return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
           isdigit((unsigned char)text[2]) && !isdigit((unsigned char)text[3]);
}

/* The characters of a number, without commas between groups of three digits. */
static const char *copy_digits(const char *text, char digits[DIGITS_MAX])
{
    size_t n = 0;

    while (n + 1 < DIGITS_MAX) {
        bool comma = *text == ',' && n > 0 && isdigit((unsigned char)digits[n - 1]) &&
                     three_digits(text + 1);

        if (!comma && !isalnum((unsigned char)*text) && strchr("+-.", *text) == NULL)
            break;
        if (*text == '\0')
            break;
        if (!comma)
            digits[n++] = *text;
        text++;
    }
    digits[n] = '\0';
    return text;
}

static double power_of(char letter)
{
    static const char letters[] = "KMBTPE";
    static const double powers[] = { 1e3, 1e6, 1e9, 1e12, 1e15, 1e18 };
    const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

    return at != NULL ? powers[at - letters] : 0.0;
}

const char *gtr_console_number(const char *text, double *value)
{
    char digits[DIGITS_MAX];
    const char *end, *rest;

    end = copy_digits(gtr_console_blanks(text), digits);
    rest = gtr_text_number_prefix(digits, value);
    if (rest == NULL)
        return NULL;
    if (rest[0] != '\0' && rest[1] == '\0' && power_of(rest[0]) > 0.0)
        *value *= power_of(rest[0]);
    /* A full stop may end a sentence, as in "loss 2.5." */
    else if (rest[0] != '\0' && strcmp(rest, ".") != 0)
        return NULL;
    return end;
}

bool gtr_console_pair(struct gtr_pairs *pairs, const char *key, const char *key_end,
                      const char *value, const char **end)
{
    double number;

    *end = gtr_console_number(value, &number);
    while (key < key_end && (*key == ' ' || *key == '\t'))
        key++;
    while (key_end > key && (key_end[-1] == ' ' || key_end[-1] == '\t'))
        key_end--;
    if (*end == NULL || key == key_end || pairs->n == GTR_PAIRS_MAX)
        return false;
    pairs->pair[pairs->n++] =
        (struct gtr_pair){ .key = key, .n = (size_t)(key_end - key), .value = number };
    return true;
}

bool gtr_console_step(struct gtr_pairs *pairs, const char *text, const char **end)
{
    static const char step[] = "step";
    double total;

    if (!gtr_console_pair(pairs, step, step + 4, text, end))
        return false;
    text = gtr_console_blanks(*end);
    if (*text != '/')
        return true;
    text = gtr_console_number(text + 1, &total);
    if (text != NULL && total >= 1.0 && total <= 0x1p53 && total == rint(total))
        pairs->total = (int64_t)total;
    *end = text != NULL ? text : *end;
    return true;
}
