/* tell.c - texts made safe, shares, counts, and the names of a table.
 *
 * Names are cut for a whole table at once: what may go of one depends on what the others are
 * called.
 */
#define _GNU_SOURCE
#include "tell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradtrace_lab.h"

/* --- letters ---------------------------------------------------------------------------------- */

/* Goes past one letter of `text`.  Returns the bytes to show for it. */
static size_t next_letter(const char **text, const char **shown)
{
    uint32_t letter;
    size_t n = gtr_text_letter(*text, &letter);
    bool safe = n > 0 && gtr_text_is_safe(letter);

    *shown = safe ? *text : "?";
    *text += n > 0 ? n : 1;
    return safe ? n : 1;
}

/* Writes what needs no thought, which is most, in one piece; returns what follows it. */
static const char *put_plain(FILE *f, const char *text)
{
    const char *from = text;

    while (*text >= ' ' && *text < 0x7f && *text != '\\')
        text++;
    fwrite(from, 1, (size_t)(text - from), f);
    return text;
}

void tell_text(FILE *f, const char *text)
{
    const char *shown;

    while (*(text = put_plain(f, text)) != '\0') {
        size_t n = next_letter(&text, &shown);

        fwrite(shown, 1, n, f);
    }
}

size_t tell_letters(const char *text)
{
    const char *shown;
    size_t n;

    for (n = 0; *text != '\0'; n++)
        next_letter(&text, &shown);
    return n;
}

void tell_padded(FILE *f, const char *text, size_t width, bool right)
{
    size_t n = tell_letters(text);
    int room = n < width ? (int)(width - n) : 0;

    fprintf(f, "%*s", right ? room : 0, "");
    tell_text(f, text);
    fprintf(f, "%*s", right ? 0 : room, "");
}

/* --- numbers ---------------------------------------------------------------------------------- */

const char *tell_share(double share, char text[TELL_SIZE])
{
    double percent = 100.0 * share;

    if (isnan(share))
        strcpy(text, "-");
    else if (percent == 0.0)
        strcpy(text, "0%");
    else if (percent > 0.0 && percent < 0.01)
        strcpy(text, "<0.01%");
    else if (fabs(percent) < 0.995)
        snprintf(text, TELL_SIZE, "%.2f%%", percent);
    else if (fabs(percent) >= 999.5 || share == 1.0)
        snprintf(text, TELL_SIZE, "%.0f%%", percent);
    else
        snprintf(text, TELL_SIZE, "%.1f%%", percent < 100.0 && percent > 99.9 ? 99.9 : percent);
    return text;
}

const char *tell_part(uint64_t part, uint64_t whole, char text[TELL_SIZE])
{
    return tell_share(whole > 0 ? (double)part / (double)whole : 0.0, text);
}

const char *tell_change(double change, char text[TELL_SIZE])
{
    double value = 100.0 * change;

    snprintf(text, TELL_SIZE, value < 0.01 ? "%.2g%%" : value < 999.5 ? "%.3g%%" : "%.0f%%", value);
    return value > 0.0 && value < 0.001 ? strcpy(text, "<0.001%") : text;
}

const char *tell_count(uint64_t count, char text[TELL_SIZE])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), i;
    char *out = text;

    for (i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return text;
}

const char *tell_s(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* --- names ------------------------------------------------------------------------------------ */

/* A safe copy, cut to its first and last letters with two dots between if it has more than
 * head + 2 + tail. */
static char *cut(const char *name, size_t head, size_t tail)
{
    size_t letters = tell_letters(name), i, size;
    bool whole = letters <= head + 2 + tail;
    char *text = NULL;
    FILE *f = open_memstream(&text, &size);
    const char *shown;

    if (f == NULL)
        return NULL;
    for (i = 0; i < letters; i++) {
        size_t n = next_letter(&name, &shown);

        if (whole || i < head || i >= letters - tail)
            fwrite(shown, 1, n, f);
        else if (i == head)
            fputs("..", f);
    }
    fclose(f);
    return text;
}

static void free_texts(char **text, size_t n)
{
    size_t i;

    for (i = 0; text != NULL && i < n; i++)
        free(text[i]);
    free(text);
}

static char **cut_all(const struct tell_names *shown, size_t head, size_t tail)
{
    char **text = calloc(shown->n + 1, sizeof *text);
    size_t i;

    for (i = 0; text != NULL && i < shown->n; i++) {
        text[i] = cut(shown->whole[i], head, tail);
        if (text[i] == NULL) {
            free_texts(text, i);
            return NULL;
        }
    }
    return text;
}

static int by_text(const void *a, const void *b)
{
    char **const x = *(char **const *)a, **const y = *(char **const *)b;
    int order = strcmp(*x, *y);

    return order != 0 ? order : (x > y) - (x < y);
}

/* Pointers to the texts, in alphabetical order; equal ones in the table's order. */
static char ***sorted(char **text, size_t n)
{
    char ***order = calloc(n + 1, sizeof *order);
    size_t i;

    for (i = 0; order != NULL && i < n; i++)
        order[i] = &text[i];
    if (order != NULL)
        qsort(order, n, sizeof *order, by_text);
    return order;
}

static bool all_differ(char **text, size_t n)
{
    char ***order = sorted(text, n);
    size_t i = 1;

    while (order != NULL && i < n && strcmp(*order[i - 1], *order[i]) != 0)
        i++;
    free(order);
    return order != NULL && i >= n;
}

/* "a?b" and "a?b" become "a?b" and "a?b~2". */
static void number_equals(char **text, size_t n)
{
    char ***order = sorted(text, n), *numbered;
    size_t i, first = 0, size;

    for (i = 1; order != NULL && i < n; i++) {
        FILE *f;

        if (strcmp(*order[first], *order[i]) != 0) {
            first = i;
            continue;
        }
        f = open_memstream(&numbered, &size);
        if (f == NULL)
            break;
        fprintf(f, "%s~%zu", *order[i], i - first + 1);
        fclose(f);
        free(*order[i]);
        *order[i] = numbered;
    }
    free(order);
}

/* Half of the letters before the cut and half after it say most; but names of tensors differ in
 * their ends, and some only in their beginnings. */
static bool fits(struct tell_names *shown, size_t width)
{
    const size_t room = width - 2, heads[] = { room / 2, room / 4, 3 * room / 4, room / 8 };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(heads); i++) {
        shown->text = cut_all(shown, heads[i], room - heads[i]);
        if (shown->text == NULL || all_differ(shown->text, shown->n))
            return true;
        free_texts(shown->text, shown->n);
        shown->text = NULL;
    }
    return false;
}

void tell_names_make(struct tell_names *shown, const char *const *names, size_t n, size_t least,
                     size_t most)
{
    size_t longest = least, width, i;

    *shown = (struct tell_names){ NULL, names, n, least };
    for (i = 0; i < n; i++) {
        size_t letters = tell_letters(names[i]);

        longest = letters > longest ? letters : longest;
    }
    for (width = most; width < longest; width += width / 4)
        if (fits(shown, width))
            break;
    if (shown->text == NULL) {
        width = longest;
        shown->text = cut_all(shown, longest, 0);
        if (shown->text != NULL)
            number_equals(shown->text, n);
    }
    shown->width = least;
    for (i = 0; i < n; i++) {
        size_t letters = tell_letters(tell_name_text(shown, i));

        shown->width = letters > shown->width ? letters : shown->width;
    }
}

void tell_names_free(struct tell_names *shown)
{
    free_texts(shown->text, shown->n);
    shown->text = NULL;
}

const char *tell_name_text(const struct tell_names *shown, size_t i)
{
    return shown->text != NULL ? shown->text[i] : shown->whole[i];
}

void tell_name(FILE *f, const struct tell_names *shown, size_t i)
{
    tell_padded(f, tell_name_text(shown, i), shown->width, false);
}
