/* group_parts.h - what the files group*.c share.
 *
 *   group_names.c    from a tensor's dotted name to the name of its function
 *   group_layers.c   the blocks of a model, found in the names of its tensors
 *   group_file.c     groups as a user lists them: lines GLOB<tab>GROUP
 */
#ifndef GTR_GROUP_PARTS_H
#define GTR_GROUP_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "builder.h"
#include "err.h"
#include "trace.h"

/* --- names ------------------------------------------------------------------------------------ */

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

/* --- layers ----------------------------------------------------------------------------------- */

struct gtr_layers;

/* Looks at all names.  Free with gtr_layers_free. */
enum gtr_code gtr_layers_new(const struct gtr_head *head, struct gtr_layers **layers,
                             struct gtr_err *err);
void gtr_layers_free(struct gtr_layers *layers);

/* Appends the layer of a tensor: "layers.3", or, if it is in no block, its top-level name.  *top is
 * then the last part of that, borrowed from name; NULL of one in a block. */
void gtr_layers_name(struct gtr_layers *layers, const struct gtr_dotted *name,
                     struct gtr_builder *out, const char **top);

/* --- files ------------------------------------------------------------------------------------ */

struct gtr_group_file;

/* Reads the whole file; errors name it and the line.  Free with gtr_group_file_free. */
enum gtr_code gtr_group_file_read(const char *path, struct gtr_group_file **file,
                                  struct gtr_err *err);
void gtr_group_file_free(struct gtr_group_file *file);

/* The group of the first line whose glob matches the whole name, or NULL; borrowed. */
const char *gtr_group_file_find(const struct gtr_group_file *file, const char *name);

#endif
