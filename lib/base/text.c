/* text.c - strtod and printf, held to the C locale. */
#define _GNU_SOURCE
#include "text.h"
#include "shortest.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* strtod takes "0x10" for 16, which nobody who writes norms or limits means. */
static bool is_hexadecimal(const char *text)
{
    text += strspn(text, " \t\n\v\f\r");
    text += *text == '+' || *text == '-';
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
}

const char *gtr_text_number_prefix(const char *text, double *value)
{
    char *end;

    if (is_hexadecimal(text))
        return NULL;
    pthread_once(&c_locale_once, make_c_locale);
    *value = strtod_l(text, &end, c_locale);
    return end == text ? NULL : end;
}

bool gtr_text_number(const char *text, double *value)
{
    const char *end = gtr_text_number_prefix(text, value);

    return end != NULL && *end == '\0';
}

bool gtr_text_integer(const char *text, int64_t *value)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    *value = number;
    return end != text && *end == '\0' && errno == 0;
}

/* printf writes the locale's decimal point; ours is always '.'. */
static void print_digits(double value, int digits, char out[GTR_NUMBER_SIZE])
{
    locale_t before;

    pthread_once(&c_locale_once, make_c_locale);
    before = uselocale(c_locale);
    snprintf(out, GTR_NUMBER_SIZE, "%.*g", digits, value);
    uselocale(before);
}

/* What the fast way cannot tell, and what it is compared with. */
size_t gtr_text_print_slowly(double value, char out[GTR_NUMBER_SIZE])
{
    double back;
    int digits;

    for (digits = 15; digits < 17; digits++) {
        print_digits(value, digits, out);
        if (gtr_text_number(out, &back) && back == value)
            return strlen(out);
    }
    print_digits(value, 17, out);
    return strlen(out);
}

size_t gtr_text_print(double value, char out[GTR_NUMBER_SIZE])
{
    size_t n;

    if (isnan(value)) {
        strcpy(out, "nan");
        return 3;
    }
    /* Most scales are 1 and most bounds are round: one snprintf instead of three. */
    if (value == rint(value) && fabs(value) < 1e9)
        return (size_t)snprintf(out, GTR_NUMBER_SIZE, "%s%ld",
                                signbit(value) && value == 0.0 ? "-" : "", (long)value);
    n = gtr_shortest_print(value, out);
    return n > 0 ? n : gtr_text_print_slowly(value, out);
}

/* --- letters ---------------------------------------------------------------------------------- */

size_t gtr_text_letter(const char *text, uint32_t *letter)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *byte = (const unsigned char *)text;
    size_t n = byte[0] < 0x80   ? 1
               : byte[0] < 0xc0 ? 0
               : byte[0] < 0xe0 ? 2
               : byte[0] < 0xf0 ? 3
                                : 4;
    size_t i;

    if (n == 0 || byte[0] >= 0xf8)
        return 0;
    *letter = n == 1 ? byte[0] : byte[0] & (0x7fu >> n);
    for (i = 1; i < n; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        *letter = *letter << 6 | (byte[i] & 0x3fu);
    }
    return *letter >= least[n] && *letter <= 0x10ffff && (*letter & 0xfffff800u) != 0xd800 ? n : 0;
}

/* Controls; marks of direction; line and paragraph ends. */
bool gtr_text_is_safe(uint32_t letter)
{
    return !(letter < 0x20 || (letter >= 0x7f && letter < 0xa0) || letter == 0x61c ||
             letter == 0x200e || letter == 0x200f || (letter >= 0x2028 && letter <= 0x202e) ||
             (letter >= 0x2066 && letter <= 0x2069) || letter == 0xfeff);
}

void gtr_text_escape(FILE *f, const char *text)
{
    static const char known[] = "\t\n\r\\", escaped[] = "tnr\\";

    while (*text != '\0') {
        const char *plain = text, *place;
        uint32_t letter;
        size_t n;

        while (*text >= ' ' && *text < 0x7f && *text != '\\')
            text++;
        fwrite(plain, 1, (size_t)(text - plain), f);
        if (*text == '\0')
            return;
        n = gtr_text_letter(text, &letter);
        place = strchr(known, *text);
        if (place != NULL)
            fprintf(f, "\\%c", escaped[place - known]);
        else if (n > 0 && gtr_text_is_safe(letter))
            fwrite(text, 1, n, f);
        else
            for (plain = text; plain < text + (n > 0 ? n : 1); plain++)
                fprintf(f, "\\x%02x", (unsigned)(unsigned char)*plain);
        text += n > 0 ? n : 1;
    }
}

/* --- words ------------------------------------------------------------------------------------ */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edits that turn a into b: insert, delete, replace, swap neighbours; capped lengths. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 40 };
    size_t d[LONGEST + 1][LONGEST + 1];
    size_t n_a = strnlen(a, LONGEST), n_b = strnlen(b, LONGEST), i, j;

    for (i = 0; i <= n_a; i++)
        d[i][0] = i;
    for (j = 0; j <= n_b; j++)
        d[0][j] = j;
    for (i = 1; i <= n_a; i++) {
        for (j = 1; j <= n_b; j++) {
            size_t replace = d[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);

            d[i][j] = smaller(replace, smaller(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[n_a][n_b];
}

const char *gtr_text_nearest(const char *word, const char *const *names, size_t n_names)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 1, i;

    for (i = 0; i < n_names; i++) {
        size_t distance = edit_distance(word, names[i]);

        if (distance <= best && (nearest == NULL || distance < best)) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
