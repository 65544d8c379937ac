/* text.h - numbers as text, exactly, and names nearly right.
 *
 * Numbers are read and written in the C locale whatever the program's own is.
 */
#ifndef GTR_TEXT_H
#define GTR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "public.h"

GTR_PUBLIC_BEGIN

enum { GTR_NUMBER_SIZE = 32 }; /* holds any double as gtr_text_print writes it */

/* The whole of `text` as a decimal number; false if anything is left over or nothing was there.
 * "inf" and "nan" are numbers, "0x10" is none. */
bool gtr_text_number(const char *text, double *value);

/* The same for a prefix: returns the first character after the number, or NULL. */
const char *gtr_text_number_prefix(const char *text, double *value);

/* The whole of `text` as a decimal integer in range. */
bool gtr_text_integer(const char *text, int64_t *value);

/* The shortest decimal that reads back as the same double; "nan", "inf", "-inf".  Returns its
 * length. */
size_t gtr_text_print(double value, char out[GTR_NUMBER_SIZE]);

/* Bytes of the UTF-8 letter at `text`, and its number; 0 if there is none: cut off, spelled longer
 * than need be, a surrogate, or past the last. */
size_t gtr_text_letter(const char *text, uint32_t *letter);

/* False for what could move a cursor, forge a line or turn the direction of a text. */
bool gtr_text_is_safe(uint32_t letter);

/* Writes a text for programs, nothing lost: backslash, tab, line end and return as \\ \t \n \r,
 * each byte of what is not safe, or no UTF-8, as \x1b. */
void gtr_text_escape(FILE *f, const char *text);

/* The name most like `word`, or NULL if none is near: at most one edit in three characters. */
const char *gtr_text_nearest(const char *word, const char *const *names, size_t n_names);

GTR_PUBLIC_END

/* gtr_text_print by printf and strtod alone; not of NaN. */
size_t gtr_text_print_slowly(double value, char out[GTR_NUMBER_SIZE]);

#endif
