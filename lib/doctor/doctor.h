/* doctor.h - what is wrong with a run, or with a clipping setting, told with its evidence.
 *
 * Each check looks for one pathology and answers with findings: how bad it is, the numbers that
 * show it, the steps, and what to try.  Checks of the run look at its norms; checks of a setting
 * at its decisions as well.  What is bad is a matter of thresholds, each of which is listed with
 * its reason: gtr_thresholds.
 */
#ifndef GTR_DOCTOR_H
#define GTR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "baseline.h"
#include "err.h"
#include "public.h"
#include "replay.h"
#include "scaling.h"
#include "trace.h"

GTR_PUBLIC_BEGIN

/* In rising order. */
enum gtr_severity {
    GTR_NOT_MADE, /* no finding: the check could not be made, and `what` says why */
    GTR_NOTE,     /* worth knowing */
    GTR_WARNING,  /* likely not what was meant */
    GTR_SEVERE,   /* the setting does not do its work, or the recording is wrong */
    GTR_SEVERITY_COUNT
};

const char *gtr_severity_name(enum gtr_severity severity); /* "severe"; "not made" */

/* --- the catalogue ------------------------------------------------------------------------- */

struct gtr_check {
    const char *code;  /* "stuck-at-cap": stable, for scripts */
    const char *title; /* "scale stuck at a cap" */
    const char *help;  /* what it means */
    bool of_setting;   /* false: of the run itself */
};

size_t gtr_checks_count(void);
const struct gtr_check *gtr_check_at(size_t check);

/* Numbers that a check holds what it sees against. */
struct gtr_threshold {
    const char *code; /* the check's */
    double value;
    const char *what; /* "of the decisions are the cap: a warning" */
    const char *why;
};
const struct gtr_threshold *gtr_thresholds(size_t *n_thresholds);

/* --- findings ------------------------------------------------------------------------------ */

enum { GTR_FINDING_STEPS = 8, GTR_FINDING_NUMBERS = 6, GTR_OF_THE_RUN = -1 };

struct gtr_finding_number {
    const char *name; /* "share_at_cap"; static */
    double value;
};

struct gtr_finding {
    size_t check; /* of the catalogue */
    enum gtr_severity severity;
    int64_t policy;   /* of those examined, or GTR_OF_THE_RUN */
    size_t group;     /* the one that shows it most; n_groups: none */
    char what[480];   /* a sentence or two with their numbers */
    char advice[480]; /* what to try; one suggestion a line */
    struct gtr_finding_number number[GTR_FINDING_NUMBERS];
    size_t n_numbers;
    int64_t step[GTR_FINDING_STEPS]; /* the run's own numbers of the worst steps, rising */
    size_t n_steps, n_all_steps;     /* of step[]; and how many there were in all */
    bool ranked;                     /* some of them are worse than others */
};

/* What the checks look at.  Borrowed; policies may be 0. */
struct gtr_patient {
    const struct gtr_trace *trace;
    const struct gtr_groups *groups;
    const struct gtr_replay *replay;
    double max_norm;         /* that the run itself clipped the 2-norm of all to; 0: not known */
    const char *no_max_norm; /* why it is not known, for people; NULL: the trace does not tell */
    double beta2;            /* of the run's Adam; 0: its optimizer divides by nothing */
    const bool *wanted;      /* [gtr_checks_count()] which checks; NULL: all */
    size_t n_policies;
    const struct gtr_setting *const *settings; /* [n_policies] */
};

/* Runs every check that is wanted.  Findings come by policy, the run's own first; of each the most
 * severe first, then in the order of the catalogue.  Free them with gtr_free. */
enum gtr_code gtr_doctor_run(const struct gtr_patient *patient, struct gtr_finding **findings,
                             size_t *n_findings, struct gtr_err *err);

GTR_PUBLIC_END

#endif
