/* names.h - a set of names, numbered in the order in which they came. */
#ifndef GTR_NAMES_H
#define GTR_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define GTR_NAMES_NONE UINT32_MAX

struct gtr_names {
    char *text; /* all of them, one behind the other, each ended by NUL */
    size_t n_text, text_capacity;
    size_t *starts;
    size_t n_names, starts_capacity;
    uint32_t *slots; /* hash table, at most half full: number + 1, or 0 */
    size_t n_slots;  /* a power of two */
};

/* The name's number, or GTR_NAMES_NONE. */
uint32_t gtr_names_find(const struct gtr_names *names, const char *name);

/* Adds a name that is not there. */
enum gtr_code gtr_names_add(struct gtr_names *names, const char *name, uint32_t *number,
                            struct gtr_err *err);

/* Valid until the next is added. */
const char *gtr_names_text(const struct gtr_names *names, uint32_t number);

void gtr_names_free(struct gtr_names *names);

#endif
