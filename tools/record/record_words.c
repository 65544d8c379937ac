/* record_words.c - options of `gradtrace record` whose value is a little language of its own. */
#define _GNU_SOURCE
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "record_run.h"

/* One word of --elements; false if it is none. */
static bool parse_elements_word(struct gtr_record_options *options, const char *word,
                                const struct argp_state *state)
{
    static const char blocks[] = "blocks:", spikes[] = "around-spikes:";

    if (strcmp(word, "none") == 0) {
        options->elements = GTR_ELEMENTS_NONE;
    } else if (strcmp(word, "full") == 0) {
        options->elements = GTR_ELEMENTS_FULL;
    } else if (strncmp(word, blocks, sizeof blocks - 1) == 0) {
        options->elements = GTR_ELEMENTS_BLOCKS;
        return gtr_sample_parse(word + sizeof blocks - 1, &options->fraction, NULL) == GTR_OK;
    } else if (strncmp(word, spikes, sizeof spikes - 1) == 0) {
        if (options->elements == GTR_ELEMENTS_NONE)
            options->elements = GTR_ELEMENTS_FULL;
        options->around_spikes =
            cli_integer(state, "--elements around-spikes:", word + sizeof spikes - 1, 1, 1000000);
    } else {
        return false;
    }
    return true;
}

void record_parse_elements(struct record_request *request, const char *text,
                           const struct argp_state *state)
{
    char *copy = gtr_strdup(text), *rest = copy, *word;

    json_add_text(request->recorder, "elements", text);
    while (copy != NULL && (word = strsep(&rest, ",")) != NULL)
        if (!parse_elements_word(&request->options, word, state))
            argp_error(state,
                       "--elements %s: must be none, full, blocks:FRACTION with a "
                       "fraction above 0 and at most 1 such as blocks:1/64, or around-spikes:STEPS",
                       word);
    gtr_free(copy);
}

void record_parse_rows(struct record_request *request, const char *text,
                       const struct argp_state *state)
{
    static const char micro[] = "micro-batch:";

    request->micro_batches = 0;
    if (strncmp(text, micro, sizeof micro - 1) == 0)
        request->micro_batches = cli_integer(state, "--rows micro-batch:", text + sizeof micro - 1,
                                             1, RECORD_MICRO_BATCHES_MOST);
    else if (strcmp(text, "step") != 0)
        argp_error(state,
                   "--rows %s: must be step, or micro-batch:N with N the backward passes of an "
                   "optimizer step, such as micro-batch:4",
                   text);
    json_add_text(request->recorder, "rows", text);
}

/* KEY=VALUE into the trace's meta, as a number if the value is one. */
void record_parse_meta(struct record_request *request, const char *text,
                       const struct argp_state *state)
{
    const char *equals = strchr(text, '=');
    struct json_object *meta = NULL;
    int64_t whole;
    double real;
    char *key;

    if (equals == NULL || equals == text)
        argp_error(state, "--meta %s: must be KEY=VALUE", text);
    key = strndup(text, equals != NULL ? (size_t)(equals - text) : 0);
    if (key == NULL)
        return;
    if (!json_object_object_get_ex(request->recorder, "meta", &meta)) {
        meta = json_object_new_object();
        json_object_object_add(request->recorder, "meta", meta);
    }
    if (gtr_text_integer(equals + 1, &whole))
        json_add_integer(meta, key, whole);
    else if (gtr_text_number(equals + 1, &real) && real >= -DBL_MAX && real <= DBL_MAX)
        json_add_number(meta, key, real);
    else
        json_add_text(meta, key, equals + 1);
    free(key);
}
