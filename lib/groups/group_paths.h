/* group_paths.h - lists of dotted paths, and what they share; for group_layers.c. */
#ifndef GTR_GROUP_PATHS_H
#define GTR_GROUP_PATHS_H

#include "group_names.h"

struct gtr_path {
    char *text;
    const char *label; /* an ending of text, or NULL if none was asked for */
};

/* Start with { 0 }. */
struct gtr_paths {
    struct gtr_path *all;
    size_t n, capacity;
};

/* Adds the first n parts of a name. */
enum gtr_code gtr_paths_add(struct gtr_paths *paths, const struct gtr_dotted *name, size_t n_parts,
                            struct gtr_err *err);
void gtr_paths_free(struct gtr_paths *paths);

/* Once all are there: gets ready for gtr_paths_shared. */
void gtr_paths_sort_beginnings(struct gtr_paths *paths);

/* How many parts `text` shares, from its first on, with the path that it shares most with. */
size_t gtr_paths_shared(const struct gtr_paths *paths, const char *text);

/* Once all are there: labels each by its last part, or as many as no other ends in. */
void gtr_paths_label_endings(struct gtr_paths *paths);

/* The label of one of the paths; of anything else, itself. */
const char *gtr_paths_label(const struct gtr_paths *paths, const char *text);

#endif
