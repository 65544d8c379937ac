/* test_update_share.c - update replay by several processes gives the bits of one. */
#define _XOPEN_SOURCE 700
#include "alloc.h"
#include "updating.h"

enum { PARTS_MAX = 4 };

/* What each part has sent, and how much of it part 0 has taken. */
static struct mail {
    char *bytes;
    size_t size, taken;
} mail[PARTS_MAX];
static size_t this_part;
static const size_t never = (size_t)-1;
static size_t fail_after = (size_t)-1; /* exchanges */

static enum gtr_code carry(void *context, size_t part, void *bytes, size_t size,
                           struct gtr_err *err)
{
    struct mail *box = &mail[part];

    (void)context;
    if (fail_after-- == 0)
        return gtr_fail(err, GTR_EIO, "the line is dead");
    if (this_part == part) {
        box->bytes = realloc(box->bytes, box->size + size);
        memcpy(box->bytes + box->size, bytes, size);
        box->size += size;
        return GTR_OK;
    }
    CHECK(this_part == 0 && box->taken + size <= box->size);
    if (box->taken + size > box->size)
        return gtr_fail(err, GTR_EIO, "nothing more has come");
    memcpy(bytes, box->bytes + box->taken, size);
    box->taken += size;
    return GTR_OK;
}

static void empty_mail(void)
{
    size_t i;

    for (i = 0; i < PARTS_MAX; i++) {
        free(mail[i].bytes);
        mail[i] = (struct mail){ 0 };
    }
}

static void make_run(struct u_run *run)
{
    static const uint64_t numel[U_TENSORS] = { 1, 200001, 1023, 65541, 0, 131073, 4096 };
    static const size_t of_tensor[U_TENSORS] = { 2, 0, 1, 0, 1, 2, 1 };
    size_t p, g, t;

    memset(run, 0, sizeof *run);
    u_state = 11;
    run->n_tensors = U_TENSORS;
    run->n_steps = U_STEPS;
    run->n_policies = 3;
    memcpy(run->numel, numel, sizeof numel);
    memcpy(run->of_tensor, of_tensor, sizeof of_tensor);
    for (t = 0; t < U_STEPS; t++)
        run->captured[t] = true;
    run->nonfinite[4] = 1;
    u_fill(run);
    for (p = 0; p < run->n_policies; p++)
        for (g = 0; g < U_GROUPS; g++)
            for (t = 0; t < U_STEPS; t++)
                run->scale[p][g][t] = (double)(u_random() % 1000 + 1) / 1000.0;
}

static struct gtr_update_options options_of(size_t part, size_t n_parts, size_t memory)
{
    struct gtr_update_options options = { .n_threads = 2,
                                          .memory = memory,
                                          .device = { GTR_DEVICE_CPU, -1 },
                                          .part = part,
                                          .n_parts = n_parts,
                                          .exchange = carry };

    gtr_optimizer_init(&options.optimizer, GTR_ADAMW);
    this_part = part;
    return options;
}

/* Parts send before part 0 runs and takes. */
static struct gtr_update *run_parts(const struct u_run *run, const char *path, size_t n_parts,
                                    size_t memory)
{
    struct gtr_update *update = NULL;
    struct gtr_err err = { 0 };
    size_t part;

    empty_mail();
    for (part = n_parts; part-- > 0;) {
        const struct gtr_update_options options = options_of(part, n_parts, memory);

        CHECK(u_run_update(run, path, &options, &update, &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        CHECK((update != NULL) == (part == 0));
    }
    for (part = 0; part < n_parts; part++)
        CHECK(mail[part].taken == mail[part].size);
    return update;
}

static void check_same(const struct gtr_update *got, const struct gtr_update *wanted)
{
    size_t cells = wanted->n_groups * wanted->n_rows;

    CHECK(memcmp(got->plain, wanted->plain, cells * sizeof *got->plain) == 0);
    CHECK(memcmp(got->sums, wanted->sums, wanted->n_policies * cells * sizeof *got->sums) == 0);
    CHECK((got->errors == NULL) == (wanted->errors == NULL));
    if (wanted->errors != NULL)
        CHECK(memcmp(got->errors, wanted->errors,
                     wanted->n_policies * cells * sizeof *got->errors) == 0);
}

static void check_shared(const struct u_run *run)
{
    static const size_t memory[] = { 1, 20 << 20, 256 << 20 }; /* a batch: a piece, some, all */
    const char *path = scratch_path("shared.h5");
    size_t i, n_parts;

    u_write(run, path);
    for (i = 0; i < sizeof memory / sizeof *memory; i++) {
        struct gtr_update *alone = run_parts(run, path, 1, memory[i]);

        for (n_parts = 2; alone != NULL && n_parts <= PARTS_MAX; n_parts++) {
            struct gtr_update *shared = run_parts(run, path, n_parts, memory[i]);

            if (shared != NULL)
                check_same(shared, alone);
            /* All tensors in pieces make nine of them. */
            CHECK(memory[i] != 1 || mail[n_parts - 1].size > 0);
            gtr_update_free(shared);
        }
        gtr_update_free(alone);
    }
    empty_mail();
}

static void any_number_of_processes_gives_the_same_bits(void)
{
    struct u_run run;

    make_run(&run);
    check_shared(&run);
    u_free(&run);
}

/* Standard errors need the moments of all blocks as well. */
static void samples_are_shared_with_their_errors(void)
{
    struct u_run run;

    make_run(&run);
    run.sampling = (struct gtr_sample){ 1024, 0.5, 3 };
    check_shared(&run);
    u_free(&run);
}

static void a_line_that_breaks_ends_either_side(void)
{
    const char *path = scratch_path("broken.h5");
    struct gtr_update_options options;
    struct gtr_update *update = NULL;
    struct gtr_err err = { 0 };
    struct u_run run;

    make_run(&run);
    u_write(&run, path);
    fail_after = 1;
    options = options_of(1, 2, 1);
    CHECK(u_run_update(&run, path, &options, &update, &err) == GTR_EIO);
    CHECK_TEXT(err.text, "the line is dead");
    CHECK(update == NULL);
    err = (struct gtr_err){ 0 };
    fail_after = 0;
    options = options_of(0, 2, 1);
    CHECK(u_run_update(&run, path, &options, &update, &err) == GTR_EIO);
    CHECK_TEXT(err.text, "the line is dead");
    CHECK(update == NULL);
    fail_after = never;
    empty_mail();
    u_free(&run);
}

int main(void)
{
    RUN(any_number_of_processes_gives_the_same_bits);
    RUN(samples_are_shared_with_their_errors);
    RUN(a_line_that_breaks_ends_either_side);
    return check_report();
}
