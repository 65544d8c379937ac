/* test_options.c - programs that were compiled for an older or a newer library than they meet. */
#define _GNU_SOURCE
#include "check.h"
#include "gradtrace.h"
#include "recording.h"

/* As a trainer was compiled when there was no more to say; what stands behind it is not ours. */
struct older_recording {
    size_t size;
    const char *producer, *reduction, *grad_state, *meta, *group_by, *created;
    int64_t rank, world_size, total_steps, elements;
};

struct older_writing {
    size_t size;
    bool force, elements, param_norms;
};

static void an_older_trainer_has_the_defaults_of_what_it_does_not_know(void)
{
    struct older_recording old[2];
    struct gtr_err err = { 0 };
    struct gtr_trace *trace = NULL;
    struct gtr_recorder *r;

    memset(old, 0xa5, sizeof old);
    (gtr_record_options_init)((void *)&old[0], sizeof old[0]);
    CHECK(old[0].size == sizeof old[0] && old[0].world_size == 1);
    CHECK(old[1].size == (size_t)0xa5a5a5a5a5a5a5a5);
    CHECK_TEXT(old[0].reduction, "none");
    old[0].elements = GTR_ELEMENTS_FULL;
    r = open_pair((const void *)&old[0]);
    CHECK(record_step(r, 0, &err) == GTR_OK && record_step(r, 1, &err) == GTR_OK);
    CHECK(gtr_recorder_close(r, &err) == GTR_OK);
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK(trace != NULL && gtr_trace_n_captures(trace) == 2); /* every: 1 */
    gtr_trace_close(trace);
}

static void older_replays_and_writers_work_too(void)
{
    struct older_writing writing[2];
    size_t replaying = sizeof replaying; /* a struct that is no more than its size */
    struct gtr_series series = { .n_steps = 1, .total_steps = 7, .index = &(int64_t){ 3 } };
    struct gtr_replay *replay = NULL;
    struct gtr_writer *writer = NULL;
    struct gtr_err err = { 0 };
    struct gtr_head head;

    series.total = &(double){ 1.0 };
    series.nonfinite = &(uint8_t){ 1 };
    CHECK(gtr_replay_new(&series, (const void *)&replaying, &replay, NULL) == GTR_OK);
    CHECK(gtr_replay_total_steps(replay) == 7 && gtr_replay_skip(replay)[0]);
    gtr_replay_free(replay);

    memset(writing, 0xa5, sizeof writing);
    (gtr_writer_options_init)((void *)&writing[0], sizeof writing[0]);
    CHECK(!writing[0].force && writing[1].size == (size_t)0xa5a5a5a5a5a5a5a5);
    writing[0].force = true;
    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    CHECK(gtr_head_add_tensor(&head, "w", "2", 2, GTR_F32, NULL) == GTR_OK);
    CHECK(gtr_writer_open(path, &head, (const void *)&writing[0], &writer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    gtr_writer_abandon(writer);
    gtr_head_free(&head);
}

static void a_newer_program_is_told_to_find_its_library(void)
{
    struct {
        struct gtr_record_options options;
        double later;
    } newer;
    struct gtr_recorder *r = NULL;
    struct gtr_err err = { 0 };

    memset(&newer, 0xa5, sizeof newer);
    (gtr_record_options_init)(&newer.options, sizeof newer);
    CHECK_BITS(newer.later, 0.0);
    CHECK_BITS(newer.options.spike_decay, 0.98);
    CHECK(gtr_recorder_open(path, &newer.options, &r, &err) == GTR_EUSAGE && r == NULL);
    CHECK_HOLDS(err.text, "compiled for a newer gradtrace");
}

static void options_without_init_are_refused(void)
{
    const struct gtr_record_options recording = { .world_size = 1, .every = 1 };
    const struct gtr_writer_options writing = { .force = true };
    const struct gtr_replay_options replaying = { 0 };
    struct gtr_err err[3] = { { 0 } };
    struct gtr_series series = { .n_steps = 0 };
    struct gtr_recorder *r = NULL;
    struct gtr_writer *writer = NULL;
    struct gtr_replay *replay = NULL;
    struct gtr_head head;

    CHECK(gtr_head_init(&head, NULL) == GTR_OK);
    CHECK(gtr_recorder_open(path, &recording, &r, &err[0]) == GTR_EUSAGE && r == NULL);
    CHECK(gtr_writer_open(path, &head, &writing, &writer, &err[1]) == GTR_EUSAGE && !writer);
    CHECK(gtr_replay_new(&series, &replaying, &replay, &err[2]) == GTR_EUSAGE && !replay);
    CHECK_HOLDS(err[0].text, "size 0: start it with gtr_record_options_init");
    CHECK_HOLDS(err[1].text, "size 0: start it with gtr_writer_options_init");
    CHECK_HOLDS(err[2].text, "size 0: start it with gtr_replay_options_init");
    gtr_head_free(&head);
}

int main(void)
{
    recording_init();
    RUN(an_older_trainer_has_the_defaults_of_what_it_does_not_know);
    RUN(older_replays_and_writers_work_too);
    RUN(a_newer_program_is_told_to_find_its_library);
    RUN(options_without_init_are_refused);
    return check_report();
}
