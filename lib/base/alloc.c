/* alloc.c - the one place that calls malloc. */
#include "alloc.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t fail_countdown; /* 0: never fail; 1: fail from now on */

void gtr_alloc_fail_after(size_t n)
{
    atomic_store(&fail_countdown, n);
}

static int must_fail(void)
{
    size_t left = atomic_load(&fail_countdown);

    if (left == 0)
        return 0;
    if (left == 1)
        return 1;
    atomic_fetch_sub(&fail_countdown, 1);
    return 0;
}

void *gtr_alloc(size_t count, size_t size)
{
    if (must_fail() || (size > 0 && count > PTRDIFF_MAX / size))
        return NULL;
    return calloc(count > 0 ? count : 1, size);
}

enum gtr_code gtr_alloc_for(void *pointer_to_pointer, size_t count, size_t size, const char *what,
                            struct gtr_err *err)
{
    void *memory = gtr_alloc(count, size);

    memcpy(pointer_to_pointer, &memory, sizeof memory);
    if (memory == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for %zu %s", count, what);
    return GTR_OK;
}

char *gtr_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = gtr_alloc(n, 1);

    if (copy != NULL)
        memcpy(copy, text, n);
    return copy;
}

enum gtr_code gtr_format(char **text, const char *about, struct gtr_err *err, const char *format,
                         ...)
{
    va_list values;
    size_t size;

    va_start(values, format);
    size = (size_t)vsnprintf(NULL, 0, format, values) + 1;
    va_end(values);
    *text = gtr_alloc(size, 1);
    if (*text == NULL)
        return gtr_fail(err, GTR_ENOMEM, "%s: no memory", about);
    va_start(values, format);
    vsnprintf(*text, size, format, values);
    va_end(values);
    return GTR_OK;
}

enum gtr_code gtr_grow(void *pointer_to_array, size_t *capacity, size_t needed, size_t size,
                       struct gtr_err *err)
{
    size_t wanted = *capacity > 0 ? *capacity : 16;
    void *array, *grown;

    if (needed <= *capacity)
        return GTR_OK;
    while (wanted < needed && wanted <= SIZE_MAX / 2)
        wanted *= 2;
    memcpy(&array, pointer_to_array, sizeof array);
    if (must_fail() || wanted < needed || wanted > SIZE_MAX / size)
        return gtr_fail(err, GTR_ENOMEM, "no memory for %zu elements", needed);
    grown = realloc(array, wanted * size);
    if (grown == NULL)
        return gtr_fail(err, GTR_ENOMEM, "no memory for %zu elements", needed);
    memcpy(pointer_to_array, &grown, sizeof grown);
    *capacity = wanted;
    return GTR_OK;
}

void gtr_free(void *pointer)
{
    free(pointer);
}
