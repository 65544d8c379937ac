/* report.h - what `gradtrace report` knows, and the parts that its page is made of.
 *
 * The page is one file: text, tables and inline pictures, nothing fetched from anywhere.  Every
 * number on it is written by report_write.h, which puts the exact value beside the rounded one and
 * the same exact value into a tab-separated file.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "info_found.h"
#include "spill_found.h"
#include "update_found.h"

/* The command line. */
struct report_options {
    struct cli_common common;
    struct cli_replay replay; /* -p, --group-by, ... */
    const char *trace;
    const char *output; /* FILE or "-" */
    const char *tsv;    /* a folder for the tables; NULL: none */
    const char *title;  /* NULL: the trace's name */
    bool chosen;        /* no -p: the policies are of our choice */
    bool guessed;       /* the limit below is just a common one */
    char limit[64];     /* of them the first, a limit on the global norm */
};

/* Everything that was computed.  Parts that could not be are NULL or false, and `why` says why. */
struct report_found {
    const struct report_options *options;
    struct study study;
    double own;        /* the run's own limit; 0: not known, or its norms were recorded clipped */
    bool clipped;      /* recorded after the run had clipped */
    bool no_decisions; /* every step is left out */
    struct gtr_decisions **decisions;    /* [n_settings] */
    struct gtr_scaling_report **scaling; /* [n_settings] */
    struct info_found info;              /* without its captures */

    struct study spill_study; /* the same without policies; borrows */
    struct spill_options spill_options;
    struct spill_found spill;
    bool has_spill, spill_is_own, spill_is_given; /* whose limit it is; neither: chosen */
    char spill_why[sizeof((struct gtr_err *)0)->text];

    struct update_options update_options;
    struct update_found update;
    struct update_summary *updates; /* NULL: none */
    char update_why[sizeof((struct gtr_err *)0)->text];

    struct gtr_finding *findings;
    size_t n_findings;
};

/* Borrows options, which get policies if the user named none.  Free with report_found_free, also
 * after failure. */
enum gtr_code report_found_make(struct report_found *found, struct report_options *options,
                                struct gtr_err *err);
void report_found_free(struct report_found *found);

/* --- the page -------------------------------------------------------------------------------- */

struct report {
    FILE *f;            /* the page */
    const char *folder; /* where tables and pictures are put while the page is made */
    const struct report_found *found;
    struct rows facts;      /* the numbers in sentences, as a table */
    const char *section;    /* that facts belong to */
    const char *no_figures; /* why there are none; NULL */
    size_t n_figures;
    enum gtr_code rc; /* of the first file that could not be written */
    struct gtr_err err;
};

/* Draws all pictures as FOLDER/STEM.svg with their rows in STEM.tsv.  Pictures that cannot be drawn
 * are left out, and *why, of static text, says so. */
enum gtr_code report_draw(const struct report_found *found, const char *folder, const char **why,
                          struct gtr_err *err);

/* A picture with a caption, in words and markup of ours; nothing if it was not drawn. */
void report_figure(struct report *r, const char *stem, const char *caption);

/* The page, and FOLDER/NAME.tsv for each of its tables. */
enum gtr_code report_page(FILE *f, const struct report_found *found, const char *folder,
                          const char *no_figures, struct gtr_err *err);

/* Its sections, in order.  Each writes its heading. */
void report_in_short(struct report *r);
void report_run(struct report *r);
void report_clip(struct report *r);
void report_spill(struct report *r);
void report_compare(struct report *r);
void report_doctor(struct report *r);
void report_update(struct report *r);
void report_next(struct report *r);

/* Pieces of sentences that two sections share: what a policy does; how far it moves the update;
 * "1 warning, 2 notes". */
const char *report_whose_limit(const struct report_found *found); /* the first policy's */
void report_put_verdict(struct report *r, size_t policy);
bool report_knows_change(const struct report_found *found, size_t policy);
void report_put_change(struct report *r, size_t policy);
bool report_has_findings(const struct report *r);
void report_put_count_of_findings(struct report *r);

/* A word of a shell command, quoted if need be; " -p POLICY" for each policy; and the command that
 * makes the page again. */
void report_put_word(FILE *f, const char *word);
void report_put_policies(struct report *r);
void report_put_command(struct report *r);

/* <style> and <script>. */
void report_put_style(FILE *f);
void report_put_script(FILE *f);

#endif
