/* record_command.c - the command line of `gradtrace record`, checked whole before anything starts.
 *
 * Each option is written down twice: in the library's options, which are tried once here, and under
 * the name that the Recorder in lib/python/gradtrace has for it, for the recorded command.
 */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "json_text.h"
#include "record_run.h"

enum {
    OPT_ELEMENTS = 0x200,
    OPT_EVERY,
    OPT_FIRST,
    OPT_LAST,
    OPT_SAMPLE_SEED,
    OPT_SPIKE_KAPPA,
    OPT_SPIKE_SCALE,
    OPT_SPIKE_POLICY,
    OPT_ROWS,
    OPT_TOTAL_STEPS,
    OPT_GROUP_BY,
    OPT_META,
    OPT_QUEUE_MB,
    OPT_WHEN_FULL,
    OPT_COMPRESSION,
    OPT_SEGMENT_MB,
    OPT_SEGMENT_SECONDS,
    OPT_WRITER_THREADS,
    OPT_PROGRESS,
    OPT_NO_PROGRESS,
    OPT_STRICT
};

enum { MIB = 20, THREADS_MOST = 256 };

/* What an option is of use with. */
enum use { ALWAYS, WITH_ELEMENTS, WITH_SPIKES, WITH_SEGMENTS };

/* Options whose value is a whole number: bounds, and where it goes. */
static const struct whole {
    const char *option;
    const char *argument; /* of the Recorder */
    size_t at;            /* in struct gtr_record_options */
    int64_t min, max;
    int shift; /* the option counts units of 2^shift */
    int key;
    enum use use;
} wholes[] = {
#define AT(field) offsetof(struct gtr_record_options, field)
    { "--every", "every", AT(every), 1, INT64_MAX, 0, OPT_EVERY, WITH_ELEMENTS },
    { "--first", "first", AT(first), 0, INT64_MAX, 0, OPT_FIRST, WITH_ELEMENTS },
    { "--last", "last", AT(last), 0, INT64_MAX, 0, OPT_LAST, WITH_ELEMENTS },
    { "--sample-seed", "sample_seed", AT(seed), INT64_MIN, INT64_MAX, 0, OPT_SAMPLE_SEED,
      WITH_ELEMENTS },
    { "--total-steps", "total_steps", AT(total_steps), 0, INT64_MAX / RECORD_MICRO_BATCHES_MOST, 0,
      OPT_TOTAL_STEPS, ALWAYS },
    { "--queue-mb", "queue_mb", AT(queue_bytes), 1, INT64_MAX >> MIB, MIB, OPT_QUEUE_MB,
      WITH_ELEMENTS },
    { "--segment-mb", "segment_mb", AT(segment_bytes), 1, INT64_MAX >> MIB, MIB, OPT_SEGMENT_MB,
      WITH_SEGMENTS },
    { "--writer-threads", "writer_threads", AT(writer_threads), 0, THREADS_MOST, 0,
      OPT_WRITER_THREADS, WITH_ELEMENTS },
#undef AT
};

/* The same of numbers with a fraction. */
static const struct real {
    const char *option;
    const char *argument;
    size_t at;
    double min, max;
    int key;
    enum use use;
} reals[] = {
#define AT(field) offsetof(struct gtr_record_options, field)
    { "--spike-kappa", "spike_kappa", AT(spike_kappa), 1.0, 1e6, OPT_SPIKE_KAPPA, WITH_SPIKES },
    { "--spike-scale", "spike_scale", AT(spike_scale), 0.0, 1e6, OPT_SPIKE_SCALE, WITH_SPIKES },
    { "--segment-seconds", "segment_seconds", AT(segment_seconds), 1e-3, 1e9, OPT_SEGMENT_SECONDS,
      WITH_SEGMENTS },
#undef AT
};

/* An option may be of no use with the others; one that would change nothing is a mistake. */
static void check_use(const struct record_request *request, const char *option,
                      const char *argument, enum use use, const struct argp_state *state)
{
    const struct gtr_record_options *options = &request->options;

    if (!json_object_object_get_ex(request->recorder, argument, NULL))
        return;
    if (use == WITH_ELEMENTS && options->elements == GTR_ELEMENTS_NONE)
        argp_error(state,
                   "%s: is about elements, of which none are recorded; add --elements full or "
                   "blocks:1/64 (norms are recorded at every step)",
                   option);
    if (use == WITH_SPIKES && options->around_spikes == 0)
        argp_error(state, "%s: is about spikes; add --elements around-spikes:STEPS", option);
    if (use == WITH_SEGMENTS && strcmp(strrchr(request->output, '.'), ".gtr") != 0)
        argp_error(state, "%s: is about segments; name a folder of them, -o NAME.gtr", option);
}

static void check(const struct record_request *request, const struct argp_state *state)
{
    const struct gtr_record_options *options = &request->options;
    const char *dot = request->output != NULL ? strrchr(request->output, '.') : NULL;
    size_t i;

    if (request->output == NULL)
        argp_error(state, "name the trace to write with -o, as in -o run.h5");
    if (dot == NULL || (strcmp(dot, ".h5") != 0 && strcmp(dot, ".gtr") != 0))
        argp_error(state, "-o %s: must end in .h5, a file, or .gtr, a folder of segments",
                   request->output);
    if (request->n_words == 0)
        argp_error(state, "name the command to run, as in -- python train.py");
    for (i = 0; i < GTR_ARRAY_LEN(wholes); i++)
        check_use(request, wholes[i].option, wholes[i].argument, wholes[i].use, state);
    for (i = 0; i < GTR_ARRAY_LEN(reals); i++)
        check_use(request, reals[i].option, reals[i].argument, reals[i].use, state);
    check_use(request, "--spike-policy", "spike_policy", WITH_SPIKES, state);
    check_use(request, "--when-full", "when_full", WITH_ELEMENTS, state);
    check_use(request, "--compression", "compression", WITH_ELEMENTS, state);
    if (options->last < options->first)
        argp_error(state, "--last %" PRId64 ": must be at least --first, %" PRId64, options->last,
                   options->first);
    if (options->around_spikes > 0 && options->spike_kappa <= 1.0)
        argp_error(state, "--spike-kappa %g: must be above 1", options->spike_kappa);
}

/* One of the numeric options; false if the key is none of theirs. */
static bool parse_number(struct record_request *request, int key, const char *word,
                         const struct argp_state *state)
{
    char *options = (char *)&request->options;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(wholes); i++)
        if (wholes[i].key == key) {
            const struct whole *w = &wholes[i];
            int64_t value = cli_integer(state, w->option, word, w->min, w->max);
            int64_t units = w->shift > 0 ? value << w->shift : value;

            memcpy(options + w->at, &units, sizeof units);
            json_add_integer(request->recorder, w->argument, value);
            return true;
        }
    for (i = 0; i < GTR_ARRAY_LEN(reals); i++)
        if (reals[i].key == key) {
            const struct real *r = &reals[i];
            double value = cli_number(state, r->option, word, r->min, r->max);

            memcpy(options + r->at, &value, sizeof value);
            json_add_number(request->recorder, r->argument, value);
            return true;
        }
    return false;
}

static error_t parse(int key, char *word, struct argp_state *state)
{
    static const char *const when_full[] = { "block", "drop" };
    static const char *const compression[] = { "deflate", "none" };
    struct record_request *request = state->input;
    struct gtr_record_options *options = &request->options;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &request->common;
        return 0;
    case 'o':
        request->output = word;
        return 0;
    case OPT_ELEMENTS:
        record_parse_elements(request, word, state);
        return 0;
    case OPT_ROWS:
        record_parse_rows(request, word, state);
        return 0;
    case OPT_GROUP_BY:
        options->group_by = word;
        json_add_text(request->recorder, "group_by", word);
        return 0;
    case OPT_META:
        record_parse_meta(request, word, state);
        return 0;
    case OPT_WHEN_FULL:
        options->when_full = (int64_t)cli_choice(state, "--when-full", word, when_full, 2);
        json_add_text(request->recorder, "when_full", word);
        return 0;
    case OPT_SPIKE_POLICY:
        options->spike_policy = word;
        json_add_text(request->recorder, "spike_policy", word);
        return 0;
    case OPT_COMPRESSION:
        options->compression = (int64_t)cli_choice(state, "--compression", word, compression, 2);
        json_add_text(request->recorder, "compression", word);
        return 0;
    case OPT_PROGRESS:
    case OPT_NO_PROGRESS:
        json_add_flag(request->recorder, "progress", key == OPT_PROGRESS);
        return 0;
    case OPT_STRICT:
        json_add_flag(request->recorder, "strict", true);
        return 0;
    case ARGP_KEY_ARG: /* the rest is the command's */
        request->command = state->argv + state->next - 1;
        request->n_words = state->argc - state->next + 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        check(request, state);
        return 0;
    default:
        return parse_number(request, key, word, state) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    { "output", 'o', "TRACE", 0,
      "The trace to write: NAME.h5, or NAME.gtr for one that survives if the run is killed.  Other "
      "ranks, and later trainings of the same command, get NAME.rank1.h5 and NAME.2.h5",
      0 },
    { "rows", OPT_ROWS, "step|micro-batch:N", 0,
      "A row for each optimizer step, or for each of the N backward passes that it accumulates.  "
      "Default: step",
      0 },
    { "progress", OPT_PROGRESS, NULL, 0,
      "Say how much is recorded, now and then.  Default: if standard error is a terminal", 0 },
    { "no-progress", OPT_NO_PROGRESS, NULL, 0, "Never say how much is recorded", 0 },
    { "strict", OPT_STRICT, NULL, 0,
      "Raise an error in the script when recording fails, instead of going on without it", 0 },

    { NULL, 0, NULL, 0, "About the run, for those who read the trace:", 1 },
    { "total-steps", OPT_TOTAL_STEPS, "N", 0,
      "Planned length of the run in optimizer steps, for schedules and for the estimate of its "
      "size.  Default: 0, unknown",
      1 },
    { "group-by", OPT_GROUP_BY, "RULE", 0,
      "How tensors are grouped when the trace is replayed.  Default: the tool's", 1 },
    { "meta", OPT_META, "KEY=VALUE", 0, "A remark, kept in the trace; several are allowed", 1 },

    { NULL, 0, NULL, 0, "Elements of gradients, beside their norms:", 2 },
    { "elements", OPT_ELEMENTS, "none|full|blocks:FRACTION|around-spikes:STEPS", 0,
      "All, or of each tensor a fixed sample (blocks:1/64); only STEPS steps before and after a "
      "spike (around-spikes:8, or blocks:1/64,around-spikes:8).  Default: none",
      2 },
    { "every", OPT_EVERY, "K", 0, "At every Kth step.  Default: 1", 2 },
    { "first", OPT_FIRST, "STEP", 0, "From this step on.  Default: 0", 2 },
    { "last", OPT_LAST, "STEP", 0, "Up to this one.  Default: the run's last", 2 },
    { "sample-seed", OPT_SAMPLE_SEED, "N", 0, "Another number, other blocks.  Default: 0", 2 },
    { "spike-kappa", OPT_SPIKE_KAPPA, "X", 0,
      "A spike is a norm above X times the average of those before it.  Default: 3", 2 },
    { "spike-scale", OPT_SPIKE_SCALE, "X", 0,
      "And a step that the run scaled by less than X.  Default: 0, none", 2 },

    { "spike-policy", OPT_SPIKE_POLICY, "POLICY", 0,
      "Or that this policy (as after -p of replay) would have scaled some group by less than that",
      2 },
    { NULL, 0, NULL, 0, "How it is written:", 3 },
    { "queue-mb", OPT_QUEUE_MB, "MIB", 0,
      "Most memory for elements that wait to be written.  Default: 256", 3 },
    { "when-full", OPT_WHEN_FULL, "block|drop", 0,
      "With no room there the training waits, or the step's elements are left out and counted.  "
      "Default: block",
      3 },
    { "compression", OPT_COMPRESSION, "deflate|none", 0, "Of elements.  Default: deflate", 3 },
    { "writer-threads", OPT_WRITER_THREADS, "N", 0,
      "That compress.  Default: 0, half the processors, at most 4", 3 },
    { "segment-mb", OPT_SEGMENT_MB, "MIB", 0, "Size of the segments of NAME.gtr.  Default: 256",
      3 },
    { "segment-seconds", OPT_SEGMENT_SECONDS, "S", 0, "And the age of their elements.  Default: 30",
      3 },
    { 0 },
};

static const struct argp_child children[] = { { &cli_common_argp, 0, NULL, 4 }, { 0 } };

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "-- COMMAND [WORD...]",
    .doc =
        "Run a command that trains with PyTorch, unchanged, and record its gradients before they "
        "are clipped: one row for each optimizer step, with loss, learning rate and what "
        "clipping did.\v"
        "Exit status, signals and output are the command's own; what gradtrace has to tell comes "
        "on standard error, most of it at the end.\n"
        "\n"
        "Examples:\n"
        "  gradtrace record -o run.h5 -- python train.py --lr 1e-3\n"
        "  gradtrace record -o run.gtr --elements blocks:1/64 --every 10 -- \\\n"
        "      torchrun --nproc-per-node 2 train.py",
    .children = children,
};

void record_request_parse(struct record_request *request, int argc, char **argv)
{
    gtr_record_options_init(&request->options);
    request->recorder = json_object_new_object();
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, request);
    request->options.force = request->common.force;
    request->options.n_threads = (int64_t)request->common.n_threads;
    json_add_flag(request->recorder, "force", request->common.force);
    json_add_integer(request->recorder, "threads", request->options.n_threads);
}

void record_request_free(struct record_request *request)
{
    json_object_put(request->recorder);
}
