/* tell.h - how a name, a share or a count is said to people, everywhere in the same way.
 *
 * Names come from files that we did not write.  What could move a cursor, forge a line or turn the
 * direction of a text (control characters, U+0080 to U+009F, marks of direction, bytes that are not
 * UTF-8) is shown as a question mark.  For programs: gtr_text_escape, and json_text.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TELL_SIZE = 32 };

/* A text, made safe as above.  Tabs and line ends are control characters too. */
void tell_text(FILE *f, const char *text);

/* Letters of the text as tell_text shows it. */
size_t tell_letters(const char *text);

/* The text in a column of `width` letters: spaces after it, or before it if `right`. */
void tell_padded(FILE *f, const char *text, size_t width, bool right);

/* A share, 0.124 as "12.4%": two decimals below 1%, and never rounded to none or all: "<0.01%",
 * "99.9%".  NaN, where there is nothing to have a share in, is "-".  Returns `text`. */
const char *tell_share(double share, char text[TELL_SIZE]);
const char *tell_part(uint64_t part, uint64_t whole, char text[TELL_SIZE]);

/* A relative change, from 0 to infinity and no share: "0.314%", "52.7%", "1234%", "inf%".  Rounding
 * in fp32 moves an update by some hundred-thousandths of a percent: below a thousandth nothing was
 * meant, "<0.001%".  Returns `text`. */
const char *tell_change(double change, char text[TELL_SIZE]);

/* 4718592 as "4,718,592".  Returns `text`. */
const char *tell_count(uint64_t count, char text[TELL_SIZE]);

/* "s" for all counts but 1. */
const char *tell_s(uint64_t count);

/* The names of one table, as its first column shows them.  They are cut to a common width where
 * that leaves them different: a name that is too long loses its middle, "layers.0..q_proj.weight";
 * else the column is wider.  Names that only what tell_text hides tells apart are numbered. */
struct tell_names {
    char **text; /* n; NULL for want of memory: whole names are shown */
    const char *const *whole;
    size_t n;
    size_t width; /* of the column, letters */
};

/* At least `least` wide, and no wider than `most` but to keep names apart.  `names` must outlive
 * it.  Free with tell_names_free. */
void tell_names_make(struct tell_names *shown, const char *const *names, size_t n, size_t least,
                     size_t most);
void tell_names_free(struct tell_names *shown);

/* Name i, alone; and with spaces to the end of the column. */
const char *tell_name_text(const struct tell_names *shown, size_t i);
void tell_name(FILE *f, const struct tell_names *shown, size_t i);

#endif
