/* record_run.h - what the parts of `gradtrace record` share: what is asked, and who does what.
 *
 *     gradtrace record                     the recorded command
 *       record_command  reads options
 *       record_places   where the hook lies
 *       record_notes    a scratch folder:    settings.json ---> start/sitecustomize.py reads it
 *       record_child    starts, waits        notes         <--- and appends what it has to tell
 *       record_notes    tells what was noted, removes the folder
 */
#ifndef RECORD_RUN_H
#define RECORD_RUN_H

#include <json-c/json.h>

#include "cli.h"

enum { RECORD_MICRO_BATCHES_MOST = 1000000 };

struct record_request {
    struct cli_common common;
    const char *output;                /* -o */
    struct gtr_record_options options; /* as the library will be given them */
    struct json_object *recorder;      /* what was asked for, by the names of the arguments of the
                                        * Recorder in lib/python/gradtrace */
    int64_t micro_batches;             /* rows of a step; 0: a row is a step */
    char **command;                    /* NULL-terminated */
    int n_words;
};

/* Reads the command line, or exits with 2 and says what is wrong with it. */
void record_request_parse(struct record_request *request, int argc, char **argv);
void record_request_free(struct record_request *request);

/* The values of --elements, --rows and --meta, or an exit with 2. */
void record_parse_elements(struct record_request *request, const char *text,
                           const struct argp_state *state);
void record_parse_rows(struct record_request *request, const char *text,
                       const struct argp_state *state);
void record_parse_meta(struct record_request *request, const char *text,
                       const struct argp_state *state);

/* Where the program's other half lies; record_places_free frees it. */
struct record_places {
    char *start;   /* folder of sitecustomize.py */
    char *library; /* libgradtrace.so; NULL: where Python's own search finds it */
};

/* Looks beside the program: in a build folder, in a source tree, in PREFIX. */
enum gtr_code record_places_find(struct record_places *places, struct gtr_err *err);
void record_places_free(struct record_places *places);

/* Makes the scratch folder with the settings in it; *folder is freed by record_notes_remove. */
enum gtr_code record_notes_begin(const struct record_request *request, char **folder,
                                 struct gtr_err *err);

/* Tells on stderr what was recorded, or why nothing was. */
void record_notes_tell(const struct record_request *request, const char *folder);

/* The folder and what is in it; takes NULL. */
void record_notes_remove(char *folder);

/* Runs the command with the hook in its environment and waits.  Signals sent to this process are
 * passed on.  Returns its exit status as a shell has it: 128 + n if signal n ended it, 127 if there
 * is no such program, 126 if it cannot be run; then *started is false and that was told. */
int record_child_run(const struct record_request *request, const struct record_places *places,
                     const char *folder, bool *started);

#endif
