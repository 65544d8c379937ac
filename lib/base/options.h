/* options.h - structs that say how a call does its work, and may grow.
 *
 * Such a struct starts with its size, as the program was compiled.  A newer library may have more
 * fields at the end, behind the padding too: those that a program's struct does not have yet get
 * their defaults.  gradtrace.h tells the caller's side.
 */
#ifndef GTR_OPTIONS_H
#define GTR_OPTIONS_H

#include <stddef.h>

#include "err.h"

/* `defaults` is the struct as this library knows it, its size in front.  Writes `size` bytes. */
void gtr_options_init(void *options, size_t size, const void *defaults);

/* Puts what the caller has said, in a struct of any size, over the defaults in `options`.  `name`
 * is the struct's.  Fails, and leaves the defaults, where the size says that there was no _init or
 * that the caller knows more fields than this library. */
enum gtr_code gtr_options_take(void *options, const void *said, const char *name,
                               struct gtr_err *err);

#endif
