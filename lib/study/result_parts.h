/* result_parts.h - what results are written with; for the files *_file.c only.
 *
 * The first failure is remembered, and nothing is written after it: gtr_result_opened,
 * gtr_result_check and gtr_result_close tell it.
 */
#ifndef GTR_RESULT_PARTS_H
#define GTR_RESULT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h5.h"
#include "result_file.h"

/* Starts a file with what all results say about themselves.  The trace goes without its folder. */
enum gtr_code gtr_result_new(const char *path, bool force, const char *format, const char *trace,
                             const char *group_by, struct gtr_result **result, struct gtr_err *err);

/* The end of opening: if anything failed, the result is gone and *result NULL. */
enum gtr_code gtr_result_opened(struct gtr_result **result, struct gtr_err *err);

/* What has failed so far. */
enum gtr_code gtr_result_check(const struct gtr_result *result, struct gtr_err *err);

/* The next policy: what is written from here on is its.  `label` may be NULL.  Returns its number,
 * from 0. */
size_t gtr_result_policy(struct gtr_result *result, const char *label, const char *setting);

/* Attributes of the whole, or of the policy. */
void gtr_result_text(struct gtr_result *result, const char *name, const char *value);
void gtr_result_integer(struct gtr_result *result, const char *name, int64_t value);
void gtr_result_real(struct gtr_result *result, const char *name, double value);

/* Arrays of the whole, or of the policy. */
void gtr_result_strings(struct gtr_result *result, const char *name, const char *const *strings,
                        size_t n);
void gtr_result_vector(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                       const void *values, size_t n);
void gtr_result_table(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                      const struct gtr_h5_shape *shape, size_t n_rows, const void *values);

/* The same, row by row as they are made. */
typedef void gtr_result_fill(const void *context, size_t row, void *values);
void gtr_result_rows(struct gtr_result *result, const char *name, enum gtr_h5_type type,
                     const struct gtr_h5_shape *shape, size_t n_rows, gtr_result_fill *fill,
                     const void *context);

/* Room for something to be written, which gtr_free frees; false if anything failed. */
bool gtr_result_alloc(struct gtr_result *result, void *pointer_to_pointer, size_t count,
                      size_t size);

#endif
