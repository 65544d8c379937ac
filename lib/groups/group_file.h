/* group_file.h - groups as a user lists them: lines GLOB<tab>GROUP; for groups.c. */
#ifndef GTR_GROUP_FILE_H
#define GTR_GROUP_FILE_H

#include "err.h"

struct gtr_group_file;

/* Reads the whole file; errors name it and the line.  Free with gtr_group_file_free. */
enum gtr_code gtr_group_file_read(const char *path, struct gtr_group_file **file,
                                  struct gtr_err *err);
void gtr_group_file_free(struct gtr_group_file *file);

/* The group of the first line whose glob matches the whole name, or NULL; borrowed. */
const char *gtr_group_file_find(const struct gtr_group_file *file, const char *name);

#endif
