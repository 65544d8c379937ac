/* record_options.c - defaults, ranges, and the head made of them. */
#define _POSIX_C_SOURCE 200809L

#include <float.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "alloc.h"
#include "groups.h"
#include "options.h"
#include "recorder_private.h"
#include "text.h"

enum { THREADS_MOST = 256, AROUND_MOST = 1 << 20 };

void(gtr_record_options_init)(struct gtr_record_options *options, size_t size)
{
    static const struct gtr_record_options defaults = { .size = sizeof defaults,
                                                        .reduction = "none",
                                                        .grad_state = "unknown",
                                                        .world_size = 1,
                                                        .elements = GTR_ELEMENTS_NONE,
                                                        .every = 1,
                                                        .last = INT64_MAX,
                                                        .fraction = 1.0 / 64.0,
                                                        .queue_bytes = GTR_QUEUE_BYTES,
                                                        .when_full = GTR_FULL_BLOCK,
                                                        .spike_kappa = 3.0,
                                                        .spike_decay = 0.98,
                                                        .spike_warmup = 10 };

    gtr_options_init(options, size, &defaults);
}

static enum gtr_code check_integers(const struct gtr_record_options *options, struct gtr_err *err)
{
    const struct {
        const char *name;
        int64_t value, min, max;
    } integers[] = {
        { "world_size", options->world_size, 1, INT64_MAX },
        { "rank", options->rank, 0, options->world_size - 1 },
        { "total_steps", options->total_steps, 0, INT64_MAX },
        { "elements", options->elements, GTR_ELEMENTS_NONE, GTR_ELEMENTS_BLOCKS },
        { "every", options->every, 1, INT64_MAX },
        { "last", options->last, options->first, INT64_MAX },
        { "force", options->force, 0, 1 },
        { "n_threads", options->n_threads, 0, THREADS_MOST },
        { "queue_bytes", options->queue_bytes, 0, INT64_MAX },
        { "when_full", options->when_full, GTR_FULL_BLOCK, GTR_FULL_DROP },
        { "around_spikes", options->around_spikes, 0, AROUND_MOST },
        { "spike_warmup", options->spike_warmup, 1, INT64_MAX },
        { "synchronous", options->synchronous, 0, 1 },
        { "compression", options->compression, GTR_COMPRESS_DEFLATE, GTR_COMPRESS_NONE },
        { "writer_threads", options->writer_threads, 0, THREADS_MOST },
        { "checksums", options->checksums, 0, 1 },
        { "segment_bytes", options->segment_bytes, 0, INT64_MAX },
        { "sync", options->sync, 0, 1 },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(integers); i++) {
        if (integers[i].value >= integers[i].min && integers[i].value <= integers[i].max)
            continue;
        if (integers[i].max == INT64_MAX)
            return gtr_fail(err, GTR_EUSAGE, "%s %" PRId64 ": must be %" PRId64 " or more",
                            integers[i].name, integers[i].value, integers[i].min);
        return gtr_fail(err, GTR_EUSAGE, "%s %" PRId64 ": must be from %" PRId64 " to %" PRId64,
                        integers[i].name, integers[i].value, integers[i].min, integers[i].max);
    }
    return GTR_OK;
}

/* `words` are separated by " | ", as the header writes them. */
static enum gtr_code check_word(const char *name, const char *word, const char *const *words,
                                size_t n_words, const char *all, struct gtr_err *err)
{
    size_t i;

    for (i = 0; word != NULL && i < n_words; i++)
        if (strcmp(word, words[i]) == 0)
            return GTR_OK;
    return gtr_fail(err, GTR_EUSAGE, "%s %.40s: must be %s", name, word != NULL ? word : "(none)",
                    all);
}

static const char *const states[] = { "pre-clip", "post-clip", "unknown" };

static enum gtr_code check_state(const char *grad_state, struct gtr_err *err)
{
    return check_word("grad_state", grad_state, states, GTR_ARRAY_LEN(states),
                      "pre-clip, post-clip or unknown", err);
}

const char *gtr_record_grad_state(const char *grad_state, struct gtr_err *err)
{
    size_t i = 0;

    if (check_state(grad_state, err) != GTR_OK)
        return NULL;
    while (strcmp(states[i], grad_state) != 0)
        i++;
    return states[i];
}

static enum gtr_code check_words(const struct gtr_record_options *options, struct gtr_err *err)
{
    static const char *const reductions[] = { "none", "sum", "mean" };
    enum gtr_code rc;

    rc = check_word("reduction", options->reduction, reductions, GTR_ARRAY_LEN(reductions),
                    "none, sum or mean", err);
    if (rc == GTR_OK)
        rc = check_state(options->grad_state, err);
    return rc;
}

static enum gtr_code check_meta(const char *meta, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    enum json_tokener_error reason;
    struct json_tokener *tokener;
    struct json_object *object;
    size_t n;

    if (meta == NULL)
        return GTR_OK;
    n = strlen(meta);
    if (n > GTR_META_MAX)
        return gtr_fail(err, GTR_EUSAGE, "meta: has %zu bytes; at most %d fit", n, GTR_META_MAX);
    tokener = json_tokener_new();
    if (tokener == NULL)
        return gtr_fail(err, GTR_ENOMEM, "meta: no memory");
    /* Strict: nothing may follow.  The closing zero ends a lone number, too. */
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    object = json_tokener_parse_ex(tokener, meta, (int)n + 1);
    reason = json_tokener_get_error(tokener);
    if (reason != json_tokener_success)
        rc = gtr_fail(err, GTR_EUSAGE, "meta: is not JSON: %s at byte %zu",
                      json_tokener_error_desc(reason), json_tokener_get_parse_end(tokener));
    else if (!json_object_is_type(object, json_type_object))
        rc = gtr_fail(err, GTR_EUSAGE, "meta %.40s: must be a JSON object, {...}", meta);
    json_object_put(object);
    json_tokener_free(tokener);
    return rc;
}

/* A rule that no later reader can apply would make the trace unreadable by default.  An empty
 * head has no tensor that it could miss. */
static enum gtr_code check_group_by(const char *rule, struct gtr_err *err)
{
    struct gtr_head nothing = { 0 };
    struct gtr_groups *groups = NULL;
    enum gtr_code rc;

    if (rule == NULL)
        return GTR_OK;
    if (strncmp(rule, "file:", 5) == 0)
        return gtr_fail(err, GTR_EUSAGE,
                        "group_by %.150s: a trace cannot depend on a file beside "
                        "it; name another rule",
                        rule);
    rc = gtr_groups_new(rule, &nothing, &groups, err);
    gtr_groups_free(groups);
    if (rc != GTR_OK)
        gtr_err_prefix(err, "group_by");
    return rc;
}

static enum gtr_code check_spikes(const struct gtr_record_options *options, struct gtr_err *err)
{
    if (options->around_spikes == 0 && options->spike_policy != NULL)
        return gtr_fail(err, GTR_EUSAGE, "spike_policy %s: needs around_spikes",
                        options->spike_policy);
    if (options->around_spikes == 0)
        return GTR_OK;
    if (options->elements == GTR_ELEMENTS_NONE)
        return gtr_fail(err, GTR_EUSAGE,
                        "around_spikes %" PRId64 ": keeps elements; elements must "
                        "be full or blocks",
                        options->around_spikes);
    if (!(options->spike_kappa > 1.0 && options->spike_kappa <= DBL_MAX))
        return gtr_fail(err, GTR_EUSAGE, "spike_kappa %g: must be above 1", options->spike_kappa);
    if (!(options->spike_decay >= 0.0 && options->spike_decay < 1.0))
        return gtr_fail(err, GTR_EUSAGE, "spike_decay %g: must be from 0 to below 1",
                        options->spike_decay);
    if (!(options->spike_scale >= 0.0 && options->spike_scale <= DBL_MAX))
        return gtr_fail(err, GTR_EUSAGE, "spike_scale %g: must be 0 or more", options->spike_scale);
    if (options->spike_policy != NULL && !(options->spike_scale > 0.0))
        return gtr_fail(err, GTR_EUSAGE,
                        "spike_policy %s: needs a spike_scale above 0, below which its scale is a "
                        "spike",
                        options->spike_policy);
    return GTR_OK;
}

enum gtr_code gtr_record_options_check(const struct gtr_record_options *options,
                                       struct gtr_err *err)
{
    enum gtr_code rc = check_integers(options, err);

    if (rc == GTR_OK)
        rc = check_words(options, err);
    if (rc == GTR_OK)
        rc = check_spikes(options, err);
    if (rc == GTR_OK && !(options->segment_seconds >= 0.0))
        rc = gtr_fail(err, GTR_EUSAGE, "segment_seconds %g: must be 0 or more",
                      options->segment_seconds);
    if (rc == GTR_OK && options->elements == GTR_ELEMENTS_BLOCKS)
        rc = gtr_sample_check(&(struct gtr_sample){ GTR_SAMPLE_BLOCK, options->fraction, 0 }, 0,
                              err);
    if (rc == GTR_OK)
        rc = check_meta(options->meta, err);
    if (rc == GTR_OK)
        rc = check_group_by(options->group_by, err);
    return rc;
}

static enum gtr_code set_created(const char *created, struct gtr_head *head, struct gtr_err *err)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[64];

    if (created != NULL)
        return created[0] != '\0' ? gtr_head_set(&head->created, created, err) : GTR_OK;
    if (gmtime_r(&now, &utc) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        return GTR_OK; /* a clock past year 2^31: the trace does without */
    return gtr_head_set(&head->created, text, err);
}

enum gtr_code gtr_record_options_fill(const struct gtr_record_options *options,
                                      struct gtr_head *head, struct gtr_err *err)
{
    enum gtr_code rc = set_created(options->created, head, err);

    if (rc == GTR_OK && options->producer != NULL)
        rc = gtr_head_set(&head->producer, options->producer, err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->reduction, options->reduction, err);
    if (rc == GTR_OK)
        rc = gtr_head_set(&head->grad_state, options->grad_state, err);
    if (rc == GTR_OK && options->meta != NULL)
        rc = gtr_head_set(&head->meta, options->meta, err);
    if (rc == GTR_OK && options->group_by != NULL)
        rc = gtr_head_set(&head->group_by, options->group_by, err);
    head->rank = options->rank;
    head->world_size = options->world_size;
    head->total_steps = options->total_steps;
    return rc;
}
