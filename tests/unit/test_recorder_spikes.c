/* test_recorder_spikes.c - the flight recorder: which captures are written. */
#define _XOPEN_SOURCE 700
#include <stdlib.h>

#include "random.h"
#include "recorder_private.h"
#include "recording.h"

enum { CAPTURE = 64, MOST = 400 };

struct run {
    const float *norms;   /* one element, so its magnitude is the norm */
    const double *scales; /* applied; NULL: never told */
    int n;
    unsigned delay_ms;
};

/* Two norms are enough of a past, and it counts for half: 3 times its average is a spike. */
static struct gtr_record_options window_of(int64_t around)
{
    struct gtr_record_options options;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.around_spikes = around;
    options.spike_warmup = 2;
    options.spike_decay = 0.5;
    return options;
}

static struct gtr_trace *record(const struct gtr_record_options *options, const struct run *run,
                                struct gtr_record_progress *progress)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = NULL;
    int t;

    gtr_recorder_open(path, options, &r, &err);
    gtr_recorder_tensor(r, "w", "1", 1, GTR_F32, &err);
    for (t = 0; t < run->n; t++) {
        gtr_recorder_begin(r, t, 0.0, 0.0, &err);
        if (t == 0)
            gtr_recorder_delay(r, run->delay_ms);
        if (options->every > 1 && t % options->every != options->first)
            gtr_recorder_norm(r, 0, (double)run->norms[t] * (double)run->norms[t],
                              fabsf(run->norms[t]), 0, &err);
        else
            gtr_recorder_grad(r, 0, &run->norms[t], &err);
        gtr_recorder_end(r, &err);
        if (run->scales != NULL)
            gtr_recorder_applied(r, run->scales[t], false, &err);
    }
    if (progress != NULL)
        gtr_recorder_progress(r, progress);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    return read_back();
}

/* The rows written, as text: "3 4 5".  Norms must be there at every row, elements at these. */
static const char *rows_of(struct gtr_trace *trace, const struct run *run)
{
    static char text[8 * MOST];
    size_t n = 0, c;
    int t;

    CHECK(gtr_trace_n_steps(trace) == (size_t)run->n);
    for (t = 0; t < run->n && t < (int)gtr_trace_n_steps(trace); t++) {
        double sumsq = -1.0;

        gtr_trace_read_rows(trace, GTR_SUMSQ, (size_t)t, 1, &sumsq, NULL);
        if (isfinite(run->norms[t]))
            CHECK_BITS(sumsq, (double)run->norms[t] * (double)run->norms[t]);
        if (run->scales != NULL)
            CHECK_BITS(gtr_trace_steps(trace)[t].applied_scale, run->scales[t]);
    }
    text[0] = '\0';
    for (c = 0; c < gtr_trace_n_captures(trace); c++) {
        int64_t row = gtr_trace_capture_rows(trace)[c];
        float element;

        gtr_trace_read_elements(trace, 0, c, &element, NULL);
        CHECK(memcmp(&element, &run->norms[row], sizeof element) == 0);
        n += (size_t)snprintf(text + n, sizeof text - n, c > 0 ? " %d" : "%d", (int)row);
    }
    gtr_trace_close(trace);
    remove_trace();
    return text;
}

static void check_rows(const struct gtr_record_options *options, const struct run *run,
                       const char *wanted)
{
    struct gtr_record_options o = *options;

    for (o.synchronous = 0; o.synchronous <= 1; o.synchronous++)
        CHECK_TEXT(rows_of(record(&o, run, NULL), run), wanted);
}

/* 9 > 3 * 1.  Afterwards the average is at most (1 + 9) / 2 of its weight, and 1 is no spike. */
static void a_spike_keeps_itself_and_its_neighbours(void)
{
    static const float norms[] = { 1, 1, 1, 1, 9, 1, 1, 1, 1, 1 };
    const struct run run = { .norms = norms, .n = 10 };
    struct gtr_record_options options = window_of(1);

    check_rows(&options, &run, "3 4 5");
    options.around_spikes = 3;
    check_rows(&options, &run, "1 2 3 4 5 6 7");
    options.around_spikes = 100; /* more than there are */
    check_rows(&options, &run, "0 1 2 3 4 5 6 7 8 9");
    options.spike_kappa = 9.5;
    check_rows(&options, &run, "");
}

/* At 6 the average is a = 1/2 (1/2 a4 + 9/2) + 1/2 with weight near 1: about 3, so it takes 20. */
static void windows_that_overlap_merge(void)
{
    static const float norms[] = { 1, 1, 1, 1, 9, 1, 20, 1, 1, 1, 1, 1 };
    const struct run run = { .norms = norms, .n = 12 };
    struct gtr_record_options options = window_of(2);

    check_rows(&options, &run, "2 3 4 5 6 7 8");
    options.around_spikes = 1; /* 3 4 5 and 5 6 7 */
    check_rows(&options, &run, "3 4 5 6 7");
}

static void there_is_no_spike_before_there_is_a_past_but_bad_values_are_one(void)
{
    static const float jump[] = { 1, 100, 1, 1, 1, 1 };
    static const float bad[] = { 1, 1, 1, NAN, 1, 1, 1, INFINITY, 1, 1 };
    const struct run jumps = { .norms = jump, .n = 6 }, bads = { .norms = bad, .n = 10 };
    struct gtr_record_options options = window_of(1);

    check_rows(&options, &jumps, "");
    check_rows(&options, &bads, "2 3 4 6 7 8");
    options.spike_warmup = 1;
    check_rows(&options, &jumps, "0 1 2");
}

static void a_small_applied_scale_is_a_spike_if_asked_for(void)
{
    static const float norms[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    static const double scales[] = { 1, 1, 1, 0.05, 1, (double)NAN, 1, 0.09 };
    const struct run run = { .norms = norms, .scales = scales, .n = 8 };
    struct gtr_record_options options = window_of(1);

    check_rows(&options, &run, "");
    options.spike_scale = 0.1;
    check_rows(&options, &run, "2 3 4 6 7");
}

/* Captures at 1 4 7 10 13 ...; the spikes at 8 and 19 are none themselves. */
static void windows_count_captures_where_not_every_step_is_one(void)
{
    static const float norms[] = { 1, 1, 1, 1, 1, 1, 1, 1, 9, 1, 1, 1,
                                   1, 1, 1, 1, 1, 1, 1, 9, 1, 1, 1, 1 };
    const struct run run = { .norms = norms, .n = 24 };
    struct gtr_record_options options = window_of(1);

    options.every = 3;
    options.first = 1;
    check_rows(&options, &run, "7 10 16 19 22"); /* 16 is three steps before 19 */
    options.around_spikes = 2;
    check_rows(&options, &run, "4 7 10 13 16 19 22");
}

/* 0 1 2 are chosen; with nothing chosen after them they do not wait for ever. */
static void captures_do_not_wait_longer_than_a_window_reaches(void)
{
    static const float norms[] = { 1, 1, 1, 1, 9, 1, 1 };
    const struct run run = { .norms = norms, .n = 7 };
    struct gtr_record_options options = window_of(2);

    options.last = 2;
    check_rows(&options, &run, "2");
}

static void a_window_that_does_not_fit_is_shorter_and_that_is_told(void)
{
    struct gtr_record_options options = window_of(16);
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    options.queue_bytes = 5 * CAPTURE;
    gtr_recorder_open(path, &options, &r, &err);
    gtr_recorder_tensor(r, "w", "1", 1, GTR_F32, &err);
    gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    CHECK_HOLDS(gtr_recorder_warning(r), "holds a window of 4, which is used");
    CHECK_TEXT(err.text, "");
    gtr_recorder_abandon(r);

    options.queue_bytes = 2 * CAPTURE - 1;
    gtr_recorder_open(path, &options, &r, &err);
    gtr_recorder_tensor(r, "w", "1", 1, GTR_F32, &err);
    CHECK(gtr_recorder_begin(r, 0, 0.0, 0.0, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "two at least must fit");
    gtr_recorder_abandon(r);
    CHECK(count_files() == 0);
}

static void options_of_the_flight_recorder_are_checked(void)
{
    static const struct {
        double kappa, decay, scale;
        int64_t elements, around, warmup;
        const char *part;
    } wrong[] = {
        { 1.0, 0.5, 0.0, GTR_ELEMENTS_FULL, 1, 1, "spike_kappa 1: must be above 1" },
        { (double)NAN, 0.5, 0.0, GTR_ELEMENTS_FULL, 1, 1, "spike_kappa" },
        { 3.0, 1.0, 0.0, GTR_ELEMENTS_FULL, 1, 1, "spike_decay 1: must be from 0 to below 1" },
        { 3.0, 0.5, -1.0, GTR_ELEMENTS_FULL, 1, 1, "spike_scale -1" },
        { 3.0, 0.5, 0.0, GTR_ELEMENTS_NONE, 1, 1, "elements must be full or blocks" },
        { 3.0, 0.5, 0.0, GTR_ELEMENTS_FULL, -1, 1, "around_spikes -1" },
        { 3.0, 0.5, 0.0, GTR_ELEMENTS_FULL, 1, 0, "spike_warmup 0" },
    };
    size_t i;

    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct gtr_record_options options = window_of(wrong[i].around);
        struct gtr_err err = { 0 };
        struct gtr_recorder *r;

        options.elements = wrong[i].elements;
        options.spike_kappa = wrong[i].kappa;
        options.spike_decay = wrong[i].decay;
        options.spike_scale = wrong[i].scale;
        options.spike_warmup = wrong[i].warmup;
        CHECK(gtr_recorder_open(path, &options, &r, &err) == GTR_EUSAGE);
        CHECK_HOLDS(err.text, wrong[i].part);
    }
}

/* The slow way: all spikes first, then for each the captures around it. */
static const char *slow_rows(const struct gtr_record_options *o, const struct run *run)
{
    static char text[8 * MOST];
    bool keep[MOST] = { false };
    double average = 0.0, weight = 0.0;
    int t, u, seen = 0;
    size_t n = 0;

    for (t = 0; t < run->n; t++) {
        double norm = fabs((double)run->norms[t]);
        bool bad = !isfinite(run->norms[t]);
        bool spike = bad || (seen >= o->spike_warmup && average / weight > 0.0 &&
                             norm > o->spike_kappa * (average / weight));
        int left = (int)o->around_spikes;

        if (!bad) {
            if (seen > 0 && seen >= o->spike_warmup && norm > 1.5 * (average / weight))
                norm = 1.5 * (average / weight); /* a spike does not excuse the next */
            average = o->spike_decay * average + (1.0 - o->spike_decay) * norm;
            weight = o->spike_decay * weight + (1.0 - o->spike_decay);
            seen++;
        }
        if (!spike)
            continue;
        for (u = t - 1; u >= 0 && u >= t - o->around_spikes * o->every && left > 0; u--)
            if (u % o->every == o->first)
                keep[u] = true, left--;
        keep[t] = keep[t] || t % o->every == o->first;
        for (u = t + 1, left = (int)o->around_spikes; u < run->n && left > 0; u++)
            if (u % o->every == o->first)
                keep[u] = true, left--;
    }
    text[0] = '\0';
    for (t = 0; t < run->n; t++)
        if (keep[t])
            n += (size_t)snprintf(text + n, sizeof text - n, n > 0 ? " %d" : "%d", t);
    return text;
}

static void many_random_runs_agree_with_the_slow_way(void)
{
    struct gtr_random random;
    float norms[MOST];
    int round, t;

    gtr_random_init(&random, 11, 0);
    for (round = 0; round < 40; round++) {
        struct gtr_record_options options = window_of(1 + round % 7);
        const struct run run = { .norms = norms, .n = 30 + 9 * round };

        options.every = 1 + round % 3;
        options.first = round % options.every;
        options.spike_decay = 0.9;
        for (t = 0; t < run.n; t++) {
            uint64_t bits = gtr_random_bits(&random);

            norms[t] = (float)(bits % 64) / 64.0f + 0.5f;
            if (bits >> 40 < (1 << 24) / 12)
                norms[t] *= (float)(1 << (bits >> 32) % 7);
            if (bits >> 40 < 2000 && t % options.every == options.first)
                norms[t] = NAN;
        }
        check_rows(&options, &run, slow_rows(&options, &run));
    }
}

/* Three spikes in a row under a writer that needs 3 ms a row. */
static void a_slow_writer_delays_a_window_or_loses_some_of_it(void)
{
    float norms[60];
    const struct run run = { .norms = norms, .n = 60, .delay_ms = 3 };
    struct gtr_record_options options = window_of(4);
    struct gtr_record_progress p;
    struct gtr_trace *trace;
    int t;

    for (t = 0; t < 60; t++)
        norms[t] = t % 10 == 5 ? NAN : 1.0f; /* windows reach from 1 to 59 */
    options.queue_bytes = 5 * CAPTURE;
    trace = record(&options, &run, &p);
    CHECK(gtr_trace_n_captures(trace) == 54 + 0); /* all but every tenth: 0 10 20 ... */
    CHECK(p.dropped == 0 && p.seconds_waited > 0.0 && p.bytes_queued <= 5 * CAPTURE);
    rows_of(trace, &run);

    options.when_full = GTR_FULL_DROP;
    trace = record(&options, &run, &p);
    CHECK(p.dropped > 0 && p.spikes == 6);
    CHECK(gtr_trace_n_captures(trace) < 54);
    rows_of(trace, &run);
}

int main(void)
{
    recording_init();
    RUN(a_spike_keeps_itself_and_its_neighbours);
    RUN(windows_that_overlap_merge);
    RUN(there_is_no_spike_before_there_is_a_past_but_bad_values_are_one);
    RUN(a_small_applied_scale_is_a_spike_if_asked_for);
    RUN(windows_count_captures_where_not_every_step_is_one);
    RUN(captures_do_not_wait_longer_than_a_window_reaches);
    RUN(a_window_that_does_not_fit_is_shorter_and_that_is_told);
    RUN(options_of_the_flight_recorder_are_checked);
    RUN(many_random_runs_agree_with_the_slow_way);
    RUN(a_slow_writer_delays_a_window_or_loses_some_of_it);
    return check_report();
}
