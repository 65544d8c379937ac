/* output.h - what a user wants written: a file that appears whole, or "-" for standard output; and
 * what a command found, for programs, by --tsv and --json. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <argp.h>

#include "rows.h"

struct output {
    FILE *f; /* NULL if no output was asked for */
    struct gtr_outfile file;
    const char *path;
};

/* `path` NULL: no output, and the calls below do nothing. */
enum gtr_code output_open(struct output *output, const char *path, bool force, struct gtr_err *err);

/* Does nothing stand in the way of what is opened when the work is done?  So a long work that is
 * interrupted leaves no file. */
enum gtr_code output_check(const char *path, bool force, struct gtr_err *err);

/* Closes and gives the file its name; a full disk shows here. */
enum gtr_code output_close(struct output *output, struct gtr_err *err);

/* Writes out standard output: a full disk shows here. */
enum gtr_code output_flush(struct gtr_err *err);

/* Leaves no file.  After close it does nothing. */
void output_abandon(struct output *output);

/* What a command found, for people on standard output and for programs by --tsv and --json.  Its
 * child forms_argp takes the options, forms_open opens what was asked for before the work starts,
 * and forms_close ends it. */
struct forms {
    const char *tsv_path, *json_path; /* NULL: not asked for; "-": standard output */
    struct output tsv, json;
    bool told; /* standard output is free for people */
};

extern const struct argp forms_argp;

/* A usage error if a form is to go to standard output, which has no room for it: `why`. */
void forms_refuse_stdout(const struct forms *forms, const struct argp_state *state,
                         const char *why);

/* Writes one table of what was found, its columns and its rows. */
typedef void (*forms_table)(struct rows *rows, const void *found);

enum gtr_code forms_open(struct forms *forms, bool force, struct gtr_err *err);

/* output_check of both, before a long work after which they are opened. */
enum gtr_code forms_check(const struct forms *forms, bool force, struct gtr_err *err);

/* The table in each form that was asked for. */
enum gtr_code forms_write(struct forms *forms, forms_table table, const void *found,
                          struct gtr_err *err);

/* Only as tab-separated text: of a command whose JSON has a structure of its own. */
enum gtr_code forms_write_tsv(struct forms *forms, forms_table table, const void *found,
                              struct gtr_err *err);

/* Files get their names; standard output is flushed, and a full disk shows here. */
enum gtr_code forms_close(struct forms *forms, struct gtr_err *err);

/* Leaves no file that was not closed.  Fine after close, and on zeros. */
void forms_abandon(struct forms *forms);

#endif
