/* paste.h - a setting as the lines that make other people's training code clip that way. */
#ifndef PASTE_H
#define PASTE_H

#include <stdio.h>

#include "gradtrace_lab.h"

/* params: bound, one for each of the n named groups.  Lines are indented by two, under a title. */
void paste_print(FILE *f, enum gtr_policy_id policy, const union gtr_params *params,
                 const char *const *groups, size_t n_groups);

#endif
