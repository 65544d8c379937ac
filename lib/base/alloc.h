/* alloc.h - memory that is zeroed and checked for overflow. */
#ifndef GTR_ALLOC_H
#define GTR_ALLOC_H

#include <stddef.h>

#include "err.h"
#include "free.h"

GTR_PUBLIC_BEGIN

#define GTR_ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

/* `count` zeroed elements of `size` bytes, or NULL.  Free with gtr_free.  Zero elements give a
 * valid pointer, so that NULL always means "no memory". */
void *gtr_alloc(size_t count, size_t size);

/* As gtr_alloc, with the failure told as "no memory for COUNT WHAT". */
enum gtr_code gtr_alloc_for(void *pointer_to_pointer, size_t count, size_t size, const char *what,
                            struct gtr_err *err);

/* A copy of a string, or NULL. */
char *gtr_strdup(const char *text);

/* Makes room for `needed` elements, doubling.  *array keeps its elements; new ones are not
 * zeroed.  On failure *array and *capacity are as before. */
enum gtr_code gtr_grow(void *pointer_to_array, size_t *capacity, size_t needed, size_t size,
                       struct gtr_err *err);

GTR_PUBLIC_END

/* *text is a new string, printed as printf would.  What fails is told of `about`: "ABOUT: no
 * memory". */
enum gtr_code gtr_format(char **text, const char *about, struct gtr_err *err, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

/* Tests only: the n-th allocation from now fails, and all after it; n = 0 turns this off. */
void gtr_alloc_fail_after(size_t n);

#endif
