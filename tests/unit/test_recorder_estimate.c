/* test_recorder_estimate.c - how much a recording will be, told before it starts. */
#define _XOPEN_SOURCE 700
#include "recording.h"

static void estimates_add_up(void)
{
    struct gtr_record_options options;
    struct gtr_record_estimate e;
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.every = 10;
    options.first = 5;
    options.last = 1000;
    options.total_steps = 100;
    r = open_pair(&options);
    CHECK(gtr_recorder_estimate(r, &e, &err) == GTR_OK);
    CHECK(e.row_bytes == 2 * 20 + 41 && e.capture_bytes == 4 * 4 + 2);
    CHECK_BITS(e.step_bytes, 81.0 + 1.8);
    CHECK_BITS(e.run_bytes, 100.0 * 81.0 + 10.0 * 18.0); /* 5 15 ... 95 */
    CHECK(e.free_bytes > 0 && e.spike_bytes == 0);
    gtr_recorder_abandon(r);

    options.first = -3;
    options.around_spikes = 4;
    r = open_pair(&options);
    gtr_recorder_estimate(r, &e, &err);
    CHECK_BITS(e.run_bytes, 8100.0);
    CHECK(e.spike_bytes == 9 * 18);
    gtr_recorder_abandon(r);
    options.around_spikes = 0; /* -3 7 17 ... 97: ten of them in the run */
    r = open_pair(&options);
    gtr_recorder_estimate(r, &e, &err);
    CHECK_BITS(e.run_bytes, 8100.0 + 180.0);
    CHECK_TEXT(err.text, "");
    gtr_recorder_abandon(r);
}

static void a_run_that_the_disk_cannot_hold_is_told_before_it_starts(void)
{
    struct gtr_record_options options;
    struct gtr_recorder *r;

    gtr_record_options_init(&options);
    options.total_steps = INT64_MAX;
    r = open_pair(&options);
    CHECK_TEXT(gtr_recorder_warning(r), "");
    record_step(r, 0, NULL);
    CHECK_HOLDS(gtr_recorder_warning(r), "the run is longer");
    gtr_recorder_abandon(r);
}

int main(void)
{
    recording_init();
    RUN(estimates_add_up);
    RUN(a_run_that_the_disk_cannot_hold_is_told_before_it_starts);
    return check_report();
}
