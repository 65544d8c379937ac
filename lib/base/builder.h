/* builder.h - text that grows piece by piece.
 *
 *     struct gtr_builder b = { 0 };
 *
 *     gtr_builder_add(&b, "beta=");
 *     gtr_builder_number(&b, 0.5);
 *     return gtr_builder_take(&b);
 *
 * Running out of memory is remembered, so that only the last call needs a check.
 */
#ifndef GTR_BUILDER_H
#define GTR_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gtr_builder {
    char *text; /* NUL-terminated once anything was added; NULL before */
    size_t length;
    size_t capacity;
    bool failed; /* no memory; later additions do nothing */
};

void gtr_builder_add(struct gtr_builder *b, const char *text);
void gtr_builder_char(struct gtr_builder *b, char c);
void gtr_builder_number(struct gtr_builder *b, double value);  /* exactly, see gtr_text_print */
void gtr_builder_count(struct gtr_builder *b, uint64_t count); /* all 64 bits */

/* Empties it and keeps its memory, for the next text. */
void gtr_builder_clear(struct gtr_builder *b);

/* Hands the text over, "" if nothing was added; NULL if there was no memory.  The caller frees it
 * with gtr_free.  The builder is as new. */
char *gtr_builder_take(struct gtr_builder *b);

/* For one that is not taken. */
void gtr_builder_free(struct gtr_builder *b);

#endif
