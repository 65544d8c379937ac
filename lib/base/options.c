/* options.c - structs of options between programs and libraries of different age. */
#include "options.h"

#include <string.h>

static size_t size_of(const void *options)
{
    size_t size;

    memcpy(&size, options, sizeof size);
    return size;
}

static void copy(void *to, const void *from, size_t n, size_t size)
{
    memcpy(to, from, n);
    memcpy(to, &size, sizeof size);
}

void gtr_options_init(void *options, size_t size, const void *defaults)
{
    size_t known = size_of(defaults);

    memset(options, 0, size);
    copy(options, defaults, size < known ? size : known, size);
}

enum gtr_code gtr_options_take(void *options, const void *said, const char *name,
                               struct gtr_err *err)
{
    size_t size = size_of(said), known = size_of(options);

    if (size < sizeof size)
        return gtr_fail(err, GTR_EUSAGE, "struct %s of size %zu: start it with %s_init", name, size,
                        name);
    if (size > known)
        return gtr_fail(err, GTR_EUSAGE,
                        "struct %s of size %zu, of which this library knows %zu: the program was "
                        "compiled for a newer gradtrace; install that one, or compile again",
                        name, size, known);
    copy(options, said, size, known);
    return GTR_OK;
}
