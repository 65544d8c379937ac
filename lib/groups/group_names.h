/* group_names.h - from a tensor's dotted name to the name of its function; for the files group*.c.
 */
#ifndef GTR_GROUP_NAMES_H
#define GTR_GROUP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "builder.h"
#include "err.h"

/* A name cut at its dots, empty parts left out; it has at least one part, which is the whole name
 * if that is nothing but dots.  Start with { 0 }; it can be split again and again, and keeps its
 * memory. */
struct gtr_dotted {
    char *text;   /* a copy, dots replaced by NUL */
    char **parts; /* into text */
    size_t n_parts;
    size_t text_capacity, parts_capacity;
};

enum gtr_code gtr_dotted_split(struct gtr_dotted *name, const char *text, struct gtr_err *err);
void gtr_dotted_free(struct gtr_dotted *name);

/* Appends the first n parts, dots between them. */
void gtr_dotted_join(const struct gtr_dotted *name, size_t n, struct gtr_builder *out);

/* Digits only. */
bool gtr_part_is_number(const char *part);

/* Where lora_A, lora_B or a relative stands, n_parts if nowhere.  *letter is "A", "B" or what
 * else tells the factors of one module apart. */
size_t gtr_dotted_lora(const struct gtr_dotted *name, const char **letter);

/* The group of one part by the table of functional names, NULL if it is not known. */
const char *gtr_part_function(const char *part, const char *next);

/* The group by the rule `module` and by the rule `aggc`: borrowed from `name`, or static. */
const char *gtr_dotted_module(const struct gtr_dotted *name);
const char *gtr_dotted_aggc(const struct gtr_dotted *name);

#endif
