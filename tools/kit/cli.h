/* cli.h - what the commands share: the table of them, common options, how errors are told.
 *
 * stdout is data, stderr is talk.  Exit status: 0 done, 1 failed, 2 usage.
 */
#ifndef CLI_H
#define CLI_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gradtrace_lab.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct command {
    const char *name;
    const char *summary;               /* one line of `gradtrace --help` */
    int (*run)(int argc, char **argv); /* argv[0] is "gradtrace NAME"; returns the exit status */
};

int cmd_diff(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_spill(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_update(int argc, char **argv);
int cmd_verify(int argc, char **argv);

/* Options that every command takes.  Its argp lists cli_common_argp as a child and passes a
 * struct cli_common through state->child_inputs. */
struct cli_common {
    const char *command; /* "gradtrace replay" */
    size_t n_threads;    /* 0: all processors */
    bool force;          /* replace existing output */
    bool verbose;        /* say where in the library an error arose */
    bool quiet;          /* no option: files are made for a command's own use, and not told of */
};
extern const struct argp cli_common_argp;

/* The one trace that a command works on, its argument; child cli_trace_argp, whose input is a
 * const char * that starts as NULL.  It is an error to name none. */
extern const struct argp cli_trace_argp;

/* Words that an option or an argument adds one by one; free `text` with gtr_free. */
struct cli_words {
    const char **text;
    size_t n, capacity;
};
enum gtr_code cli_words_add(struct cli_words *words, const char *text, struct gtr_err *err);

/* The same; ends the program for want of memory. */
void cli_add_word(struct cli_words *words, const struct argp_state *state, const char *text);

/* Options that name policies and how a trace is replayed; child cli_replay_argp. */
struct cli_replay {
    struct cli_words policies; /* after -p */
    const char *group_by;      /* NULL: the trace's own rule */
    struct gtr_replay_options options;
};
extern const struct argp cli_replay_argp;

/* --device, of commands that a GPU can do the work of; child cli_device_argp, whose input is a
 * struct gtr_device that starts as all zeros. */
extern const struct argp cli_device_argp;

/* --kappa and --decay, of commands that hold norms against their past; child cli_baseline_argp,
 * whose input is a struct gtr_baseline_options with the command's defaults. */
extern const struct argp cli_baseline_argp;

/* Does what was asked for answer?  For commands to fail before they read anything. */
enum gtr_code cli_check_device(const struct gtr_device *asked, struct gtr_err *err);

/* "runs on NVIDIA H100 ..." if a GPU was chosen; nothing for the CPU. */
void cli_note_device(const struct cli_common *common, const struct gtr_device *chosen);

/* Prints "COMMAND: TEXT", made safe, and returns the exit status that fits the error. */
int cli_fail(const struct cli_common *common, const struct gtr_err *err);

/* "COMMAND: " and a remark, to stderr, made safe as by tell_text: names from files may be in it. */
void cli_note(const struct cli_common *common, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same of a remark of the library about a file; `context` is the struct cli_common. */
void cli_remark(void *context, const char *path, bool fault, const char *text);

/* The value of a numeric option: a whole integer in [min, max], or a usage error that names the
 * option (exits with 2). */
int64_t cli_integer(const struct argp_state *state, const char *option, const char *text,
                    int64_t min, int64_t max);

/* The same of a number with a fraction. */
double cli_number(const struct argp_state *state, const char *option, const char *text, double min,
                  double max);

/* Keeps the one path that a command takes, or tells that there was one already; `kind` is what it
 * names: "trace". */
void cli_take_path(const struct argp_state *state, const char **path, const char *word,
                   const char *kind);

/* Index of `word` in `words`, or a usage error that lists them and the nearest. */
size_t cli_choice(const struct argp_state *state, const char *option, const char *word,
                  const char *const *words, size_t n_words);

/* The same of the next word of a list a,b,c: *rest, first the list, is NULL after its last. */
size_t cli_next_choice(const struct argp_state *state, const char *option, const char *list,
                       const char **rest, const char *const *words, size_t n_words);

#endif
