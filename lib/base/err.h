/* err.h - what went wrong, told once, to a person.
 *
 * Every call that can fail returns a gtr_code and fills a gtr_err where the failure is first
 * seen.  Nothing in lib/ prints, exits, or keeps an error anywhere else.
 */
#ifndef GTR_ERR_H
#define GTR_ERR_H

#include "public.h"

GTR_PUBLIC_BEGIN

enum gtr_code {
    GTR_OK = 0,
    GTR_EUSAGE = -1,  /* the caller's arguments: name, value, range */
    GTR_EIO = -2,     /* the system said no: the reason is in the text */
    GTR_EFORMAT = -3, /* the file opened, and is not what it should be */
    GTR_ENOMEM = -4,
    GTR_EDEVICE = -5 /* no GPU, or CUDA failed */
};

/* The first failure is kept; later ones do not overwrite it.  Start with `= {0}`. */
struct gtr_err {
    enum gtr_code code;
    char text[400];   /* "run.h5: no dataset /norm/sumsq; was it made by gradtrace?" */
    const char *file; /* where in lib/, shown by --verbose; static storage */
    int line;
};

/* Sets *err unless it is NULL or already set.  Returns `code`, so that a failure is one line. */
enum gtr_code gtr_err_set(struct gtr_err *err, enum gtr_code code, const char *file, int line,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));

#define gtr_fail(err, code, ...) gtr_err_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)

GTR_PUBLIC_END

/* Puts `prefix` and ": " before the text, for callers that know the object's name. */
void gtr_err_prefix(struct gtr_err *err, const char *prefix);

/* Tells a failure that was kept: *err gets it unless it is NULL or already set.  Returns its code,
 * GTR_OK if there was none. */
enum gtr_code gtr_err_again(const struct gtr_err *failure, struct gtr_err *err);

#endif
