/* test_merge.c - segments packed into a file, and ranks joined, against values worked by hand. */
#define _GNU_SOURCE
#include <math.h>
#include <stdbool.h>

#include "check.h"
#include "kill/killed.h"
#include "merge_private.h"
#include "scratch.h"

static char said[4000];

static void say(void *context, const char *path, bool fault, const char *text)
{
    size_t n = strlen(said);

    (void)context;
    (void)path;
    snprintf(said + n, sizeof said - n, "%s%s\n", fault ? "FAULT " : "", text);
}

static const struct gtr_remarks remarks = { say, NULL };

/* One tensor or two, one row for each step; what is not given is 1. */
struct rank {
    int64_t rank;
    const char *names[2], *shapes[2];
    uint64_t numel[2];
    int64_t steps[3];
    size_t n_steps;
    double sumsq[3][2];
    float maxabs;
    uint64_t nonfinite;
    bool skipped;
};

static void write_rank(const char *path, const struct rank *rank)
{
    const struct gtr_writer_options options = { .size = sizeof options, .force = true };
    struct gtr_writer *writer = NULL;
    struct gtr_head head;
    size_t n = rank->names[1] != NULL ? 2 : 1, t, i;

    gtr_head_init(&head, NULL);
    head.rank = rank->rank;
    head.world_size = 2;
    for (i = 0; i < n; i++)
        gtr_head_add_tensor(&head, rank->names[i], rank->shapes[i], rank->numel[i], GTR_F32, NULL);
    CHECK(gtr_writer_open(path, &head, &options, &writer, NULL) == GTR_OK);
    for (t = 0; t < rank->n_steps; t++) {
        const float maxabs[2] = { rank->maxabs, rank->maxabs };
        const uint64_t nonfinite[2] = { rank->nonfinite, 0 };
        const struct gtr_step step = { .index = rank->steps[t],
                                       .loss = (double)rank->rank,
                                       .skipped = rank->skipped };

        CHECK(gtr_writer_append(writer, &step, rank->sumsq[t], maxabs, nonfinite, NULL, NULL) ==
              GTR_OK);
    }
    CHECK(gtr_writer_close(writer, NULL) == GTR_OK);
    gtr_head_free(&head);
}

/* Two shards of one matrix, wrapped differently, and a tensor that only rank 1 has. */
static const struct rank shards[2] = {
    { 0,
      { "module.w" },
      { "3x4" },
      { 12 },
      { 1, 2, 4 },
      3,
      { { 4, 0 }, { 9, 0 }, { 1, 0 } },
      1.5f,
      2,
      false },
    { 1,
      { "b", "_orig_mod._fsdp_wrapped_module.w" },
      { "5", "2x4" },
      { 5, 8 },
      { 0, 2, 4 },
      3,
      { { 0, 0 }, { 16, 0.25 }, { 25, 3 } },
      2.5f,
      1,
      true },
};

static enum gtr_code merge(const char *a, const char *b, enum gtr_join join, double tolerance,
                           struct gtr_merged *merged, struct gtr_err *err)
{
    const struct gtr_merge_options options = { join, tolerance, true };
    const char *const paths[2] = { a, b };

    said[0] = '\0';
    return gtr_trace_merge(paths, b != NULL ? 2 : 1, scratch_path("all.h5"), &options, &remarks,
                           merged, err);
}

static struct gtr_trace *open_all(void)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    gtr_trace_open(scratch_path("all.h5"), &trace, &err);
    CHECK_TEXT(err.text, "");
    return trace;
}

static void write_shards(void)
{
    write_rank(scratch_path("a.h5"), &shards[0]);
    write_rank(scratch_path("b.gtr"), &shards[1]);
}

static void shards_add_up(void)
{
    struct gtr_merged merged;
    struct gtr_trace *trace;
    const struct gtr_head *head;
    double sumsq[2];
    float maxabs[2];
    uint64_t nonfinite[2];

    write_shards();
    /* The order of the arguments does not matter: that of ranks does. */
    CHECK(merge(scratch_path("b.gtr"), scratch_path("a.h5"), GTR_JOIN_SUM, 0, &merged, NULL) ==
          GTR_OK);
    CHECK(merged.n_ranks == 2 && merged.n_rows == 2 && merged.n_left_out == 2);
    CHECK_HOLDS(said, "1 of its steps are left out, which not all ranks have: 1\n");
    CHECK_HOLDS(said, "1 of its steps are left out, which not all ranks have: 0\n");
    trace = open_all();
    head = gtr_trace_head(trace);
    CHECK(head->n_tensors == 2);
    CHECK_TEXT(head->tensors[0].name, "module.w");
    CHECK_TEXT(head->tensors[0].shape, "5x4");
    CHECK(head->tensors[0].numel == 20 && head->tensors[1].numel == 5);
    CHECK_TEXT(head->tensors[1].name, "b");
    CHECK_TEXT(head->reduction, "sum");
    CHECK(gtr_trace_steps(trace)[0].index == 2 && gtr_trace_steps(trace)[1].index == 4);
    CHECK(gtr_trace_steps(trace)[0].skipped);
    CHECK_BITS(gtr_trace_steps(trace)[0].loss, 0.0);
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 1, sumsq, NULL) == GTR_OK);
    CHECK_BITS(sumsq[0], 9.25);
    CHECK_BITS(sumsq[1], 16.0);
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 1, 1, sumsq, NULL) == GTR_OK);
    CHECK_BITS(sumsq[0], 4.0);
    CHECK_BITS(sumsq[1], 25.0);
    CHECK(gtr_trace_read_rows(trace, GTR_MAXABS, 0, 1, maxabs, NULL) == GTR_OK);
    CHECK(maxabs[0] == 2.5f && maxabs[1] == 2.5f);
    CHECK(gtr_trace_read_rows(trace, GTR_NONFINITE, 0, 1, nonfinite, NULL) == GTR_OK);
    CHECK(nonfinite[0] == 2 && nonfinite[1] == 1);
    gtr_trace_close(trace);
}

static const struct rank replica = {
    0, { "w" }, { "2" }, { 2 }, { 1, 2 }, 2, { { 4, 0 }, { 9, 0 } }, 1.0f, 0, false
};

static void write_again(const char *path, const struct rank *rank, int64_t number)
{
    struct rank other = *rank;

    other.rank = number;
    write_rank(path, &other);
}

static void replicas_must_agree(void)
{
    struct rank other = replica;
    struct gtr_merged merged;
    struct gtr_err err = { 0 };
    struct gtr_trace *trace;
    double sumsq[1];

    other.rank = 1;
    other.sumsq[1][0] = 9.0 * (1 + 1e-9);
    write_rank(scratch_path("a.h5"), &replica);
    write_rank(scratch_path("b.h5"), &other);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SAME, 1e-6, &merged, &err) ==
          GTR_OK);
    trace = open_all();
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 1, 1, sumsq, NULL) == GTR_OK);
    CHECK_BITS(sumsq[0], 9.0);
    gtr_trace_close(trace);
    /* Added up, replicas give norms that no rank had: told, unless they differ. */
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SUM, 0, &merged, &err) ==
          GTR_OK);
    CHECK_TEXT(said, "");
    write_again(scratch_path("b.h5"), &replica, 1);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SUM, 0, &merged, &err) ==
          GTR_OK);
    CHECK_HOLDS(said, "all ranks have the very same norms; are these replicas?");
    write_rank(scratch_path("b.h5"), &other);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SAME, 1e-12, &merged, &err) ==
          GTR_EFORMAT);
    CHECK_HOLDS(err.text, "b.h5: step 2, tensor w: sum of squares 9.00000000");
    err = (struct gtr_err){ 0 };
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_NONE, 0, &merged, &err) ==
          GTR_EUSAGE);
    CHECK_HOLDS(err.text, "2 ranks: how they are joined must be said");
}

static void means_are_of_sums_of_squares(void)
{
    struct rank other = replica;
    struct gtr_merged merged;
    struct gtr_trace *trace;
    double sumsq[2];

    other.rank = 1;
    other.sumsq[0][0] = 16.0;
    other.nonfinite = 2;
    write_rank(scratch_path("a.h5"), &replica);
    write_rank(scratch_path("b.h5"), &other);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_MEAN, 0, &merged, NULL) ==
          GTR_OK);
    trace = open_all();
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 2, sumsq, NULL) == GTR_OK);
    CHECK_BITS(sumsq[0], 10.0);
    CHECK_BITS(sumsq[1], 9.0);
    CHECK_TEXT(gtr_trace_head(trace)->reduction, "mean");
    gtr_trace_close(trace);
}

static void tensors_that_do_not_fit_are_named(void)
{
    struct rank other = replica;
    struct gtr_merged merged;
    struct gtr_err err = { 0 };

    write_rank(scratch_path("a.h5"), &replica);
    write_rank(scratch_path("b.h5"), &replica);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SUM, 0, &merged, &err) ==
          GTR_EFORMAT);
    CHECK_HOLDS(err.text, "is rank 0, and so is");
    other.rank = 1;
    other.names[0] = "v";
    err = (struct gtr_err){ 0 };
    write_rank(scratch_path("b.h5"), &other);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_MEAN, 0, &merged, &err) ==
          GTR_EFORMAT);
    CHECK_HOLDS(err.text, "b.h5: has no tensor w, as ");
    other.names[0] = "module.w";
    other.numel[0] = 3;
    err = (struct gtr_err){ 0 };
    write_rank(scratch_path("b.h5"), &other);
    CHECK(merge(scratch_path("a.h5"), scratch_path("b.h5"), GTR_JOIN_SAME, 0, &merged, &err) ==
          GTR_EFORMAT);
    CHECK_HOLDS(err.text, "tensor w: is 2 f32, and 2 f32 in");
}

static void wrappers_are_taken_off_names_and_nothing_else(void)
{
    static const char *const names[][2] = {
        { "module.layers.0.w", "layers.0.w" },
        { "_orig_mod.module.layers.0.w", "layers.0.w" },
        { "model._fsdp_wrapped_module.layers.0._fsdp_wrapped_module.w", "model.layers.0.w" },
        { "a._checkpoint_wrapped_module._orig_mod.w", "a.w" },
        { "layers.module.w", "layers.module.w" },
        { "submodule.w", "submodule.w" },
        { "w", "w" },
        { "module.", "" },
    };
    char bare[100];
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(names); i++) {
        gtr_bare_name(names[i][0], bare);
        CHECK_TEXT(bare, names[i][1]);
    }
}

/* A recorder that drops its captures of steps 3, 6 and 9, in segments of some steps each. */
static void write_dropping(const char *path, int64_t rank)
{
    uint64_t n_dropped = 0;
    const struct gtr_writer_options options = { .size = sizeof options,
                                                .force = true,
                                                .elements = true,
                                                .segment_bytes = 30000,
                                                .dropped_captures = &n_dropped };
    struct gtr_writer *writer = NULL;
    struct gtr_err err = { 0 };
    struct gtr_head head;
    size_t t;

    killed_head(&head);
    head.rank = rank;
    head.world_size = 2;
    CHECK(gtr_writer_open(path, &head, &options, &writer, &err) == GTR_OK);
    for (t = 0; t < 20; t++) {
        bool dropped = t == 3 || t == 6 || t == 9;

        n_dropped += dropped;
        CHECK(killed_append(writer, t, !dropped, &err) == GTR_OK);
    }
    CHECK(gtr_writer_close(writer, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    gtr_head_free(&head);
}

static uint64_t dropped_of(const char *path)
{
    struct gtr_trace *trace = NULL;
    uint64_t n = UINT64_MAX;

    if (gtr_trace_open(path, &trace, NULL) == GTR_OK)
        n = gtr_trace_n_dropped(trace);
    gtr_trace_close(trace);
    return n;
}

/* Each segment has the count so far: added up they would be more than were dropped. */
static void dropped_captures_are_counted_once(void)
{
    const char *path = scratch_path("drops.gtr");
    struct gtr_trace_folder folder;
    struct gtr_recovered recovered;
    struct gtr_merged merged;
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };

    write_dropping(path, 0);
    CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
    CHECK(gtr_trace_is_folder(trace, &folder) && folder.n_segments >= 3);
    CHECK(gtr_trace_n_captures(trace) == 4 && gtr_trace_n_dropped(trace) == 3);
    gtr_trace_close(trace);
    CHECK(merge(path, NULL, GTR_JOIN_NONE, 0, &merged, &err) == GTR_OK);
    CHECK(merged.n_captures == 4 && dropped_of(scratch_path("all.h5")) == 3);
    CHECK_HOLDS(said, "the run had 2 ranks, and this is one of them\n");
    CHECK(gtr_trace_recover(path, scratch_path("all.h5"), true, &remarks, &recovered, &err) ==
          GTR_OK);
    CHECK(recovered.n_captures == 4 && dropped_of(scratch_path("all.h5")) == 3);
    CHECK_TEXT(err.text, "");
}

/* They are missing among the elements of one rank, and only where these are kept. */
static void dropped_captures_belong_to_the_rank_whose_elements_are_kept(void)
{
    struct gtr_merged merged;
    char first[300], second[300];

    snprintf(first, sizeof first, "%s", scratch_path("drops.gtr"));
    snprintf(second, sizeof second, "%s", scratch_path("drops.h5"));
    write_dropping(first, 0);
    write_dropping(second, 1);
    CHECK(merge(second, first, GTR_JOIN_SAME, 0, &merged, NULL) == GTR_OK);
    CHECK(merged.n_captures == 4 && dropped_of(scratch_path("all.h5")) == 3);
    CHECK_TEXT(said, "");
    CHECK(merge(second, first, GTR_JOIN_SUM, 0, &merged, NULL) == GTR_OK);
    CHECK(merged.n_captures == 0 && dropped_of(scratch_path("all.h5")) == 0);
    CHECK_HOLDS(said, "its elements are left out\n");
}

/* With elements, of a process of its own. */
static void a_folder_is_packed_with_all_that_it_holds(void)
{
    const struct killed_plan plan = { .path = scratch_path("run.gtr"),
                                      .elements = true,
                                      .segment_bytes = 30000,
                                      .n_steps = 40,
                                      .spared = true };
    struct gtr_merged merged;
    struct killed_losses losses = { 0 };
    struct gtr_err err = { 0 };

    CHECK(killed_run(&plan) == 40);
    CHECK(merge(plan.path, NULL, GTR_JOIN_NONE, 0, &merged, &err) == GTR_OK);
    CHECK_TEXT(err.text, "");
    CHECK(merged.n_rows == 40 && merged.n_captures == 14 && merged.n_ranks == 1);
    killed_compare(&plan, scratch_path("all.h5"), 40, &losses);
    CHECK(losses.unreadable + losses.lost + losses.wrong + losses.lost_elements +
              losses.wrong_elements ==
          0);
}

int main(void)
{
    RUN(shards_add_up);
    RUN(replicas_must_agree);
    RUN(means_are_of_sums_of_squares);
    RUN(tensors_that_do_not_fit_are_named);
    RUN(wrappers_are_taken_off_names_and_nothing_else);
    RUN(dropped_captures_are_counted_once);
    RUN(dropped_captures_belong_to_the_rank_whose_elements_are_kept);
    RUN(a_folder_is_packed_with_all_that_it_holds);
    return check_report();
}
