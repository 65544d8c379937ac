/* options.h - structs that say how a call does its work, and may grow.
 *
 *     struct gtr_replay_options options;
 *
 *     gtr_replay_options_init(&options);
 *     options.keep_interval = 1;
 *     gtr_replay_new(series, &options, &replay, &err);
 *
 * Such a struct starts with its size, which _init sets as the program was compiled.  A newer library
 * may have more fields at the end: those that a program's struct does not have yet get their
 * defaults.  A size of 0 means that there was no _init, and a larger one than the library knows that
 * the library is older than the program: both are refused with GTR_EUSAGE.
 */
#ifndef GTR_OPTIONS_H
#define GTR_OPTIONS_H

#include <stddef.h>

#include "err.h"

/* `defaults` is the struct as this library knows it, its size in front.  Writes `size` bytes. */
void gtr_options_init(void *options, size_t size, const void *defaults);

/* Puts what the caller has said, of a struct of any size, over the defaults in `options`.  `name` is
 * the struct's.  On failure the defaults stand. */
enum gtr_code gtr_options_take(void *options, const void *said, const char *name,
                               struct gtr_err *err);

#endif
