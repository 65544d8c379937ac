/* test_import_values.c - from the numbers in a log to those in a trace. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "logs.h"
#include "scratch.h"

/* --- numbers --------------------------------------------------------------------------------- */

static void norms_that_are_not_finite_are_counted(void)
{
    static const char *const texts[] = {
        "step,grad_norm/a,grad_norm/b,grad_norm/c,grad_norm/"
        "d\n0,nan,inf,Infinity,1\n1,NaN,-nan,1e999,2\n",
        "{\"step\":0,\"grad_norm\":{\"a\":NaN,\"b\":Infinity,\"c\":\"NaN\",\"d\":1}}\n"
        "{\"step\":1,\"grad_norm\":{\"a\":\"nan\",\"b\":\"inf\",\"c\":1e999,\"d\":2}}\n",
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        struct gtr_log *log = read_good(texts[i], NULL);
        uint64_t nonfinite[4];
        double sumsq[4];

        if (log == NULL)
            continue;
        CHECK(gtr_log_summary(log)->n_nonfinite == 6 && gtr_log_summary(log)->n_large == 0);
        gtr_log_row(log, 1, sumsq, nonfinite);
        CHECK(nonfinite[0] == 1 && nonfinite[1] == 1 && nonfinite[2] == 1 && nonfinite[3] == 0);
        CHECK_BITS(sumsq[0], 0.0);
        CHECK_BITS(sumsq[2], 0.0);
        CHECK_BITS(sumsq[3], 4.0);
        gtr_log_free(log);
    }
}

static void norms_beyond_what_can_be_squared_are_counted(void)
{
    struct gtr_log *log = read_good("step,a\n0,1e200\n1,1e-200\n2,1e-160\n3,0\n4,1e150\n", NULL);

    if (log == NULL)
        return;
    CHECK(gtr_log_summary(log)->n_large == 1 && gtr_log_summary(log)->n_small == 2);
    CHECK(gtr_log_summary(log)->n_nonfinite == 0);
    CHECK(isnan(norm_at(log, 0, "a")));
    CHECK_BITS(norm_at(log, 1, "a"), 0.0);
    CHECK_BITS(norm_at(log, 3, "a"), 0.0);
    CHECK_BITS(norm_at(log, 4, "a"), 1e150);
    gtr_log_free(log);
}

/* xorshift, so that failures repeat. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Any norm whose square is a normal number comes back from it: 20000 of them, over 300 decades,
 * through text. */
static void norms_come_back_from_their_squares(void)
{
    uint64_t state = 88172645463325252u;
    size_t n = 20000, i, wrong = 0;
    double *norms = calloc(n, sizeof *norms);
    char *text = NULL, number[GTR_NUMBER_SIZE];
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    struct gtr_log *log;

    fputs("step,module,norm\n", f);
    for (i = 0; i < n; i++) {
        double mantissa = 1.0 + (double)(next_random(&state) >> 12) * 0x1p-52;

        norms[i] = ldexp(mantissa, (int)(next_random(&state) % 1000) - 500);
        gtr_text_print(norms[i], number);
        fprintf(f, "%zu,a,%s\n", i, number);
    }
    fclose(f);
    log = read_good(text, NULL);
    for (i = 0; log != NULL && i < n; i++) {
        double back = norm_at(log, i, "a");

        wrong += memcmp(&back, &norms[i], sizeof back) != 0;
    }
    CHECK(log != NULL && wrong == 0 && gtr_log_summary(log)->n_small == 0);
    gtr_log_free(log);
    free(norms);
    free(text);
}

/* The slow independent way: scanf instead of our reader. */
static void golden_logs_import_bit_for_bit(void)
{
    static const char *const names[] = { "lora", "wide", "fixed" };
    size_t i, n_rows = 0, wrong = 0;

    for (i = 0; i < GTR_ARRAY_LEN(names); i++) {
        const struct gtr_log_options options = { .format = NULL };
        struct gtr_log *log = NULL;
        struct gtr_err err = { 0 };
        char path[80], module[40];
        long step;
        double norm;
        FILE *f;

        snprintf(path, sizeof path, "tests/golden/aggc/%s.csv", names[i]);
        f = fopen(path, "r");
        CHECK(f != NULL);
        if (f == NULL)
            continue;
        CHECK(gtr_log_read(f, path, &options, &log, &err) == GTR_OK);
        rewind(f);
        CHECK(fscanf(f, "%*[^\n]") == 0);
        while (log != NULL && fscanf(f, "%ld,%39[^,],%lf,%*[^\n]", &step, module, &norm) == 3) {
            double back = norm_at(log, (size_t)step, module);

            wrong += memcmp(&back, &norm, sizeof back) != 0;
            n_rows++;
        }
        gtr_log_free(log);
        fclose(f);
    }
    CHECK(n_rows == 7 * (1200 + 800 + 400));
    CHECK(wrong == 0);
}

/* --- steps twice, lines cut, holes ------------------------------------------------------------ */

static void a_step_logged_twice_is_an_error_unless_one_is_chosen(void)
{
    static const char *const texts[] = { "step,module,norm\n0,a,1\n1,a,2\n1,a,3\n",
                                         "step,a\n0,1\n1,2\n1,3\n",
                                         "{\"step\":0,\"grad_norm/a\":1}\n\n"
                                         "{\"step\":1,\"grad_norm/a\":2}\n"
                                         "{\"step\":1,\"grad_norm/a\":3}\n" };
    const struct gtr_log_options first = { .repeats = GTR_REPEATS_FIRST };
    const struct gtr_log_options last = { .repeats = GTR_REPEATS_LAST };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        struct gtr_err err = { 0 };
        struct gtr_log *log = NULL;

        CHECK(read_bytes(texts[i], strlen(texts[i]), NULL, &log, &err) == GTR_EFORMAT);
        CHECK(log == NULL);
        CHECK_HOLDS(err.text, "the.log:4: step 1 has ");
        CHECK_HOLDS(err.text, "already, on line 3; ");
        CHECK_HOLDS(err.text, "--repeats");
        log = read_good(texts[i], &first);
        if (log != NULL)
            CHECK(gtr_log_summary(log)->n_repeats == 1);
        if (log != NULL)
            CHECK_BITS(norm_at(log, 1, "a"), 2.0);
        gtr_log_free(log);
        log = read_good(texts[i], &last);
        if (log != NULL)
            CHECK_BITS(norm_at(log, 1, "a"), 3.0);
        gtr_log_free(log);
    }
}

static void half_a_last_line_is_left_out(void)
{
    static const char *const texts[] = { "step,module,norm\n0,a,1\n1,a",
                                         "step,grad_norm/a,grad_norm/b\n0,1,2\n1,1",
                                         "{\"step\":0,\"grad_norm/a\":1}\n{\"step\":1,\"grad_no" };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        struct gtr_log *log = read_good(texts[i], NULL);

        if (log != NULL)
            CHECK(gtr_log_summary(log)->cut_short && gtr_log_summary(log)->n_steps == 1);
        gtr_log_free(log);
    }
}

/* A column of values taken for names makes a series of each: 2000 steps of 2000 series would be
 * 4 million norms in the trace for 2000 in the log. */
static void a_table_of_holes_is_refused(void)
{
    char *text = NULL;
    size_t size = 0, i;
    FILE *f = open_memstream(&text, &size);
    struct gtr_err err = { 0 };
    struct gtr_log *log = NULL;

    fputs("step,module,norm\n", f);
    for (i = 0; i < 2000; i++)
        fprintf(f, "%zu,m%zu,1\n", i, i);
    fclose(f);
    CHECK(read_bytes(text, size, NULL, &log, &err) == GTR_EFORMAT);
    CHECK_HOLDS(err.text, "the.log: 2000 series over 2000 steps");
    free(text);
}

/* --- the trace ------------------------------------------------------------------------------- */

static void check_trace(const char *path)
{
    struct gtr_trace *trace = NULL;
    struct gtr_err err = { 0 };
    const struct gtr_head *head;
    double sumsq[4];
    float maxabs[4];
    uint64_t nonfinite[4];

    CHECK(gtr_trace_open(path, &trace, &err) == GTR_OK);
    if (trace == NULL) {
        printf("    %s\n", err.text);
        return;
    }
    head = gtr_trace_head(trace);
    CHECK(head->n_tensors == 2 && gtr_trace_n_steps(trace) == 2);
    CHECK_TEXT(head->tensors[1].name, "k_proj");
    CHECK_TEXT(head->tensors[1].shape, "");
    CHECK(head->tensors[1].numel == 1 && head->total_steps == 9);
    CHECK_TEXT(head->group_by, "tensor");
    CHECK_TEXT(head->grad_state, "pre-clip");
    CHECK_TEXT(head->meta, "{\"imported_from\":\"the.log\",\"format\":\"csv\",\"columns\":"
                           "{\"step\":\"step\",\"name\":\"module\",\"norm\":\"norm\"},"
                           "\"not_imported\":[\"lower\"],\"known\":\"norms\",\"missing_norms\":1}");
    CHECK(gtr_trace_read_rows(trace, GTR_SUMSQ, 0, 2, sumsq, &err) == GTR_OK);
    CHECK(gtr_trace_read_rows(trace, GTR_MAXABS, 0, 2, maxabs, &err) == GTR_OK);
    CHECK(gtr_trace_read_rows(trace, GTR_NONFINITE, 0, 2, nonfinite, &err) == GTR_OK);
    CHECK_BITS(sumsq[0], 0.25);
    CHECK_BITS(sumsq[1], 0.0);
    CHECK(nonfinite[0] == 0 && nonfinite[1] == 1 && nonfinite[3] == 0);
    CHECK(isnan((double)maxabs[0]) && isnan((double)maxabs[3]));
    gtr_trace_close(trace);
}

static void a_log_becomes_a_trace(void)
{
    const struct gtr_log_facts facts = { .grad_state = "pre-clip", .total_steps = 9 };
    const char *path = scratch_path("log.h5");
    struct gtr_err err = { 0 };
    struct gtr_log *log = read_good("step,module,norm,lower\n3,q_proj,0.5,0\n3,k_proj,nan,0\n"
                                    "5,q_proj,2,0\n",
                                    NULL);

    if (log == NULL)
        return;
    CHECK(gtr_log_write(log, path, &facts, &err) == GTR_OK);
    check_trace(path);
    CHECK(gtr_log_write(log, path, &facts, &err) == GTR_EIO);
    CHECK_HOLDS(err.text, "exists already");
    gtr_log_free(log);
}

/* Names of modules are the groups; names of parameters are grouped as in recorded traces. */
static void series_are_grouped_by_what_they_are(void)
{
    static const struct {
        const char *text;
        bool parameters;
    } cases[] = {
        { "step,module,norm\n0,q_proj,1\n", false },
        { "step,module,norm\n0,layers.0.self_attn,1\n", false },
        { "step,module,norm\n0,layers.0.q_proj.weight,1\n", true },
        { "step,param,norm\n0,model.layers.0.q_proj,1\n", true },
        { "step,param,norm\n0,fc.bias,1\n", true },
        { "step,grads/a,grads/b\n0,1,2\n", false },
        { "step,grad_norm/layers.0.q_proj.weight\n0,1\n", true },
        { "{\"step\":1,\"grad_norm/layers.0.q_proj.weight\":1}\n", true },
        { "{\"step\":1,\"grad_norm/.weight\":1}\n", false },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        struct gtr_log *log = read_good(cases[i].text, NULL);

        CHECK(log != NULL && gtr_log_summary(log)->parameters == cases[i].parameters);
        gtr_log_free(log);
    }
}

static void a_rule_that_does_not_exist_leaves_no_trace(void)
{
    const struct gtr_log_facts facts = { .group_by = "modul" };
    const char *path = scratch_path("rule.h5");
    struct gtr_err err = { 0 };
    struct gtr_log *log = read_good("step,a\n0,1\n", NULL);

    CHECK(log != NULL && gtr_log_write(log, path, &facts, &err) == GTR_EUSAGE);
    CHECK_HOLDS(err.text, "modul");
    CHECK(access(path, F_OK) != 0);
    gtr_log_free(log);
}

/* Whichever allocation fails, there is no trace, and no temporary file either. */
static void a_write_without_memory_leaves_nothing(void)
{
    const struct gtr_log_facts facts = { .grad_state = "pre-clip" };
    const char *path = scratch_path("memory.h5");
    struct gtr_log *log = read_good("step,grads/a,grads/b\n0,1,2\n1,3,4\n", NULL);
    enum gtr_code rc = GTR_ENOMEM;
    size_t n;

    for (n = 1; log != NULL && rc != GTR_OK && n < 2000; n++) {
        struct gtr_err err = { 0 };

        gtr_alloc_fail_after(n);
        rc = gtr_log_write(log, path, &facts, &err);
        gtr_alloc_fail_after(0);
        CHECK(rc == GTR_OK || rc == GTR_ENOMEM);
        CHECK((access(path, F_OK) == 0) == (rc == GTR_OK));
    }
    CHECK(rc == GTR_OK && n > 10);
    gtr_log_free(log);
}

int main(void)
{
    RUN(norms_that_are_not_finite_are_counted);
    RUN(norms_beyond_what_can_be_squared_are_counted);
    RUN(norms_come_back_from_their_squares);
    RUN(golden_logs_import_bit_for_bit);
    RUN(a_step_logged_twice_is_an_error_unless_one_is_chosen);
    RUN(half_a_last_line_is_left_out);
    RUN(a_table_of_holes_is_refused);
    RUN(a_log_becomes_a_trace);
    RUN(series_are_grouped_by_what_they_are);
    RUN(a_rule_that_does_not_exist_leaves_no_trace);
    RUN(a_write_without_memory_leaves_nothing);
    return check_report();
}
