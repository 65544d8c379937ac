/* record_places.c - where the hook and the library lie, seen from the program.
 *
 *     BUILD/gradtrace          BUILD/python, a link to lib/python    BUILD/libgradtrace.so
 *     tree/build/gradtrace     tree/lib/python                       tree/build/libgradtrace.so
 *     PREFIX/bin/gradtrace     PREFIX/lib/python3.N/dist-packages    PREFIX/lib/libgradtrace.so
 *                              or site-packages
 *     gradtrace/bin/gradtrace  gradtrace, the package of a wheel     gradtrace/bin/libgradtrace.so
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record_run.h"

static const char *const hooks[] = {
    "../start/sitecustomize.py",
    "python/gradtrace/start/sitecustomize.py",
    "../lib/python/gradtrace/start/sitecustomize.py",
    "../lib/python3*/dist-packages/gradtrace/start/sitecustomize.py",
    "../lib/python3*/site-packages/gradtrace/start/sitecustomize.py",
};

static const char *const libraries[] = { "libgradtrace.so", "../lib/libgradtrace.so" };

/* The first file that one of the patterns, relative to home, matches; NULL if none does. */
static char *first_of(const char *home, const char *const *patterns, size_t n_patterns)
{
    char pattern[PATH_MAX + 128], path[PATH_MAX];
    char *found = NULL;
    size_t i;

    for (i = 0; i < n_patterns && found == NULL; i++) {
        glob_t matches = { 0 };

        snprintf(pattern, sizeof pattern, "%s/%s", home, patterns[i]);
        if (glob(pattern, 0, NULL, &matches) == 0 && realpath(matches.gl_pathv[0], path) != NULL)
            found = gtr_strdup(path);
        globfree(&matches);
    }
    return found;
}

enum gtr_code record_places_find(struct record_places *places, struct gtr_err *err)
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *home;

    memset(places, 0, sizeof *places);
    if (n < 0)
        return gtr_fail(err, GTR_EIO, "/proc/self/exe: cannot read: %s", strerror(errno));
    program[n] = '\0';
    home = dirname(program);
    places->start = first_of(home, hooks, GTR_ARRAY_LEN(hooks));
    if (places->start == NULL)
        return gtr_fail(err, GTR_EIO,
                        "sitecustomize.py: not found in %s/../lib/python*; reinstall gradtrace "
                        "with its Python package",
                        home);
    *strrchr(places->start, '/') = '\0';
    places->library = first_of(home, libraries, GTR_ARRAY_LEN(libraries));
    return GTR_OK;
}

void record_places_free(struct record_places *places)
{
    gtr_free(places->start);
    gtr_free(places->library);
    memset(places, 0, sizeof *places);
}
