/* findings.h - asking what the doctor found, for tests. */
#ifndef FINDINGS_H
#define FINDINGS_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

/* The finding of one policy (or the run) with this code, also one that a check was not made; NULL:
 * none. */
static inline const struct gtr_finding *finding_of(const struct gtr_finding *findings, size_t n,
                                                   int64_t policy, const char *code)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (findings[i].policy == policy &&
            strcmp(gtr_check_at(findings[i].check)->code, code) == 0)
            return &findings[i];
    return NULL;
}

/* NaN if the finding is none, or has no such number. */
static inline double number_of(const struct gtr_finding *f, const char *name)
{
    size_t i;

    for (i = 0; f != NULL && i < f->n_numbers; i++)
        if (strcmp(f->number[i].name, name) == 0)
            return f->number[i].value;
    return (double)NAN;
}

/* "code code": all that was told of one policy, in order, but for `without` unless it is NULL. */
static inline const char *codes_of(const struct gtr_finding *findings, size_t n, int64_t policy,
                                   const char *without, char text[400])
{
    size_t i;

    text[0] = '\0';
    for (i = 0; i < n; i++) {
        const char *code = gtr_check_at(findings[i].check)->code;

        if (findings[i].policy == policy && findings[i].severity > GTR_NOT_MADE &&
            (without == NULL || strcmp(code, without) != 0))
            snprintf(text + strlen(text), 400 - strlen(text), "%s%s", text[0] != '\0' ? " " : "",
                     code);
    }
    return text;
}

#endif
