/* test_import.c - logs as people have them, understood. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "gradtrace_lab.h"
#include "logs.h"

/* --- long tables ----------------------------------------------------------------------------- */

static void a_reference_log_is_understood_without_options(void)
{
    struct gtr_log *log = read_good("step,module,norm,lower,upper,scale\n"
                                    "0,q_proj,0.5,0.01,0.0,1.0\n"
                                    "0,k_proj,0.25,0.01,0.0,1.0\n"
                                    "1,q_proj,3,0.02,0.01,0.9\n"
                                    "1,k_proj,0.75,0.02,0.01,0.9\n",
                                    NULL);
    const struct gtr_log_summary *summary;

    if (log == NULL)
        return;
    summary = gtr_log_summary(log);
    check_names(log, "q_proj k_proj");
    CHECK(summary->n_steps == 2 && summary->n_missing == 0 && !summary->parameters);
    CHECK(gtr_log_steps(log)[1].index == 1 && isnan(gtr_log_steps(log)[1].loss));
    CHECK_BITS(norm_at(log, 0, "q_proj"), 0.5);
    CHECK_BITS(norm_at(log, 0, "k_proj"), 0.25);
    CHECK_BITS(norm_at(log, 1, "q_proj"), 3.0);
    CHECK_BITS(norm_at(log, 1, "k_proj"), 0.75);
    gtr_log_free(log);
}

/* The other two headers that the reference code writes, and what people call these things. */
static void usual_names_of_columns_are_understood(void)
{
    static const char *const headers[] = {
        "step,module,grad_l2",
        "step,layer_id,grad_l2",
        "global_step,layer,grad_norm",
        "Iteration,Name,L2",
        "iter,param,l2_norm",
        "_step,parameter,norm",
        "train/global_step,tensor,gradient_norm",
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(headers); i++) {
        struct gtr_log *log;
        char text[120];

        snprintf(text, sizeof text, "%s\n7,11,0.5\n8,11,2\n", headers[i]);
        log = read_good(text, NULL);
        if (log == NULL)
            continue;
        check_names(log, "11");
        CHECK(gtr_log_steps(log)[0].index == 7);
        CHECK_BITS(norm_at(log, 1, "11"), 2.0);
        gtr_log_free(log);
    }
}

static void rows_may_come_series_by_series(void)
{
    struct gtr_log *log = read_good("step,module,norm\n"
                                    "-2,q,1\n-1,q,2\n10,q,3\n"
                                    "10,k,6\n-1,k,5\n-2,k,4\n",
                                    NULL);

    if (log == NULL)
        return;
    check_names(log, "q k");
    CHECK(gtr_log_summary(log)->n_steps == 3);
    CHECK(gtr_log_steps(log)[0].index == -2 && gtr_log_steps(log)[2].index == 10);
    CHECK_BITS(norm_at(log, 0, "k"), 4.0);
    CHECK_BITS(norm_at(log, 1, "k"), 5.0);
    CHECK_BITS(norm_at(log, 2, "q"), 3.0);
    CHECK_BITS(norm_at(log, 2, "k"), 6.0);
    gtr_log_free(log);
}

/* The same table in the dialects that programs write. */
static void dialects_of_tables_mean_the_same(void)
{
    static const char *const texts[] = {
        "step,module,norm\n0,a b,0.5\n1,a b,1e-3\n",
        "step,module,norm\r\n0,a b,0.5\r\n1,a b,1e-3\r\n",
        "\xef\xbb\xbfstep,module,norm\n0,a b,0.5\n1,a b,1e-3",
        "step;module;norm\n0;a b;0.5\n1;a b;1e-3\n",
        "step\tmodule\tnorm\n0\ta b\t0.5\n1\ta b\t1e-3\n",
        "\n# made by train.py, \"v2\n\nstep,module,norm\n\n0,a b,0.5\n# half way\n1,a b,1e-3\n\n",
        "\"step\",\"module\",\"norm\"\n\"0\",\"a b\",\"0.5\"\n\"1\",\"a b\",\"1e-3\"\n",
        " step , module , norm \n 0 , a b , .5 \n 1 , \"a b\" , 0.001 \n",
        "step,module,norm\n0.0,a b,5e-1\n1.0,a b,0.0010\n",
        "norm,x,module,step\n0.5,text,a b,0\n1e-3,,a b,1\n",
        ",step,module,norm\n0,0,a b,0.5\n1,1,a b,1e-3\n",
        "step,module,norm\n0,a b,0.5\nstep,module,norm\n1,a b,1e-3\n",
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(texts); i++) {
        struct gtr_log *log = read_good(texts[i], NULL);

        if (log == NULL)
            continue;
        check_names(log, "a b");
        CHECK(gtr_log_summary(log)->n_steps == 2);
        CHECK_BITS(norm_at(log, 0, "a b"), 0.5);
        CHECK_BITS(norm_at(log, 1, "a b"), 1e-3);
        gtr_log_free(log);
    }
}

static void quoted_fields_hold_anything(void)
{
    struct gtr_log *log = read_good("step,module,norm\n0,\"a, \"\"b\"\"\",1\n0,\"\"\"\",2\n"
                                    "0,5\" gun,3\n",
                                    NULL);

    if (log == NULL)
        return;
    check_names(log, "a, \"b\" \" 5\" gun");
    CHECK_BITS(norm_at(log, 0, "a, \"b\""), 1.0);
    CHECK_BITS(norm_at(log, 0, "5\" gun"), 3.0);
    gtr_log_free(log);
}

static void columns_can_be_named(void)
{
    const struct gtr_log_options norms = { .columns = "step=it,name=what,norm=n,loss=l,lr=eta" };
    const struct gtr_log_options squares = { .columns = "step=it,name=what,sumsq=n" };
    const char *text = "it,what,n,l,eta\n3,a,9,2.5,0.125\n3,b,16,2.5,\n4,a,25,None,NA\n";
    struct gtr_log *log = read_good(text, &norms);

    if (log != NULL) {
        CHECK_BITS(norm_at(log, 0, "b"), 16.0);
        CHECK_BITS(gtr_log_steps(log)[0].loss, 2.5);
        CHECK_BITS(gtr_log_steps(log)[0].lr, 0.125);
        CHECK(isnan(gtr_log_steps(log)[1].loss));
        CHECK(gtr_log_summary(log)->n_missing == 1);
    }
    gtr_log_free(log);
    log = read_good(text, &squares);
    if (log != NULL) {
        CHECK(gtr_log_summary(log)->squares);
        CHECK_BITS(norm_at(log, 0, "b"), 4.0);
        CHECK_BITS(norm_at(log, 1, "a"), 5.0);
    }
    gtr_log_free(log);
}

static void keys_choose_among_the_names_of_a_long_table(void)
{
    const struct gtr_log_options options = { .keys = "*_proj|total" };
    struct gtr_log *log =
        read_good("step,module,norm\n0,q_proj,1\n0,bias,2\n0,total,3\n0,k_proj,4\n", &options);

    if (log == NULL)
        return;
    check_names(log, "q_proj total k_proj");
    CHECK_BITS(norm_at(log, 0, "k_proj"), 4.0);
    gtr_log_free(log);
}

/* --- wide tables ----------------------------------------------------------------------------- */

static void a_wide_table_has_a_series_in_each_column_of_norms(void)
{
    struct gtr_log *log = read_good("step,loss,lr,epoch,host,grads/q,grads/k,time\n"
                                    "0,2.5,0.5,0.1,node1,1,2,17.5\n"
                                    "1,2.25,0.25,0.2,node1,,4,18.5\n",
                                    NULL);

    if (log == NULL)
        return;
    check_names(log, "q k");
    CHECK(gtr_log_summary(log)->n_missing == 1);
    CHECK_BITS(norm_at(log, 1, "q"), 0.0);
    CHECK_BITS(norm_at(log, 1, "k"), 4.0);
    CHECK_BITS(gtr_log_steps(log)[1].loss, 2.25);
    CHECK_BITS(gtr_log_steps(log)[1].lr, 0.25);
    gtr_log_free(log);
}

/* grad_norm/q is what trackers write: then train/acc is no series, and neither is the total. */
static void columns_that_trackers_write_are_preferred(void)
{
    struct gtr_log *log = read_good("Step,train/acc,grad_norm/q,grad_norm/k,grad_norm/total,"
                                    "grad_norm/q__MIN,train/grad_norm\n0,0.5,3,4,5,1,5\n",
                                    NULL);

    if (log == NULL)
        return;
    check_names(log, "q k");
    CHECK(gtr_log_summary(log)->n_left_out == 2);
    CHECK_TEXT(gtr_log_left_out(log, 0)->name, "grad_norm/q__MIN");
    CHECK_TEXT(gtr_log_left_out(log, 1)->name, "grad_norm/total");
    gtr_log_free(log);
}

static void a_glob_chooses_columns_and_gives_them_short_names(void)
{
    const struct gtr_log_options options[] = { { .columns = "step=t,series=g/*" },
                                               { .columns = "step=t", .keys = "g/*" },
                                               { .columns = "step=t,norm=g/*" } };
    const struct gtr_log_options squares = { .columns = "step=t,sumsq=g/*" };
    const struct gtr_log_options both = { .columns = "step=t", .keys = "g/*|h/*" };
    const char *text = "t,g/a,g/b,h/a\n5,4,9,1\n";
    struct gtr_log *log;
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(options); i++) {
        log = read_good(text, &options[i]);
        if (log != NULL) {
            check_names(log, "a b");
            CHECK_BITS(norm_at(log, 0, "b"), 9.0);
        }
        gtr_log_free(log);
    }
    log = read_good(text, &squares);
    if (log != NULL)
        CHECK_BITS(norm_at(log, 0, "b"), 3.0);
    gtr_log_free(log);
    log = read_good(text, &both); /* short, g/a and h/a would be one */
    if (log != NULL)
        check_names(log, "g/a g/b h/a");
    gtr_log_free(log);
}

/* --- JSON lines ------------------------------------------------------------------------------ */

static void rows_of_one_step_are_merged(void)
{
    struct gtr_log *log = read_good("{\"_step\":0,\"train/loss\":2.5,\"_runtime\":1.5}\n"
                                    "{\"_step\":0,\"grad_norm/q\":0.5}\n\n"
                                    "{\"_step\":0,\"grad_norm/k\":0.25,\"train/lr\":0.125}\n"
                                    "{\"_step\":1,\"eval/acc\":0.75}\n"
                                    "{\"_step\":2,\"grad_norm/k\":4,\"grad_norm/q\":8}\n"
                                    "{\"system.gpu\":3}\n",
                                    NULL);

    if (log == NULL)
        return;
    check_names(log, "q k");
    CHECK(gtr_log_summary(log)->n_steps == 2 && gtr_log_summary(log)->n_missing == 0);
    CHECK(gtr_log_summary(log)->n_idle_rows == 2);
    CHECK_BITS(norm_at(log, 0, "q"), 0.5);
    CHECK_BITS(norm_at(log, 0, "k"), 0.25);
    CHECK_BITS(norm_at(log, 1, "q"), 8.0);
    CHECK_BITS(gtr_log_steps(log)[0].loss, 2.5);
    CHECK_BITS(gtr_log_steps(log)[0].lr, 0.125);
    CHECK(isnan(gtr_log_steps(log)[1].loss));
    gtr_log_free(log);
}

static void nested_objects_are_joined_by_slashes_or_dots(void)
{
    const struct gtr_log_options dots = { .columns = "step=at.step", .keys = "opt.grads.*" };
    const struct gtr_log_options slashes = { .columns = "step=at/step", .keys = "opt/grads/*" };
    const char *text =
        "{\"at\":{\"step\":3},\"opt\":{\"grads\":{\"a\":{\"w\":1},\"b\":2,\"c\":[1]}}}\n";
    struct gtr_log *log = read_good(text, &dots);

    if (log != NULL)
        check_names(log, "a.w b");
    gtr_log_free(log);
    log = read_good(text, &slashes);
    if (log != NULL) {
        check_names(log, "a/w b");
        CHECK(gtr_log_steps(log)[0].index == 3);
        CHECK_BITS(norm_at(log, 0, "b"), 2.0);
    }
    gtr_log_free(log);
}

/* Weights & Biases logs histograms as objects whose numbers are no norms. */
static void histograms_are_passed_over(void)
{
    struct gtr_log *log =
        read_good("{\"_step\":1,\"gradients/a\":{\"_type\":\"histogram\",\"packedBins\":"
                  "{\"min\":-1,\"size\":0.5,\"count\":64},\"values\":[1,2]},\"gradients/b\":7}\n",
                  NULL);

    if (log != NULL)
        check_names(log, "b");
    gtr_log_free(log);
}

static void what_other_programs_call_json_is_read(void)
{
    static const struct {
        const char *text;
        const char *names;
        double norm;
    } cases[] = {
        { "{'loss': 0.5, 'grad_norm': 1.25, 'step': 4, 'ok': True}\n", "grad_norm", 1.25 },
        { "{\"step\":4,\"train/grad_norm\":1.25}", "train/grad_norm", 1.25 },
        { "{\"step\":4,\"layers.0.q/grad_l2\":1,\"layers.0.k/grad_l2\":1.25}",
          "layers.0.q layers.0.k", 1.25 },
        { "{\"step\":4,\"grad_2.0_norm/fc.weight\":1.25,\"grad_2.0_norm_total\":9}", "fc.weight",
          1.25 },
        { "{\"step\":4.0,\"grad_norm/a\":\"1.25\"}", "a", 1.25 },
        { "{\"step\":\"4\",\"grad_norm/a\":1.25, \"grad_norm/note\":\"x\"}", "a", 1.25 },
        { "{\"_step\":9,\"train/global_step\":4,\"grad_norm/a\":1.25}", "a", 1.25 },
        { "{\"step\":4,\"l2_norm/grad/a\":1.25,\"l2_norm/grad/global\":2}", "a", 1.25 },
    };
    size_t i;

    for (i = 0; i < GTR_ARRAY_LEN(cases); i++) {
        struct gtr_log *log = read_good(cases[i].text, NULL);
        size_t last;

        if (log == NULL)
            continue;
        check_names(log, cases[i].names);
        last = gtr_log_summary(log)->n_series - 1;
        CHECK_BITS(norm_at(log, 0, gtr_log_series_name(log, last)), cases[i].norm);
        CHECK(gtr_log_steps(log)[0].index == 4);
        gtr_log_free(log);
    }
}

static void a_row_for_each_series_is_read_from_json_too(void)
{
    const struct gtr_log_options options = { .columns = "name=layer,norm=n" };
    struct gtr_log *log = read_good("{\"step\":1,\"layer\":\"step\",\"n\":0.5}\n"
                                    "{\"step\":1,\"layer\":\"loss\",\"n\":0.25,\"loss\":3}\n"
                                    "{\"step\":2,\"layer\":\"step\",\"n\":2}\n"
                                    "{\"step\":2,\"layer\":\"loss\"}\n",
                                    &options);

    if (log == NULL)
        return;
    check_names(log, "step loss");
    CHECK_BITS(norm_at(log, 0, "loss"), 0.25);
    CHECK_BITS(norm_at(log, 1, "step"), 2.0);
    CHECK_BITS(gtr_log_steps(log)[0].loss, 3.0);
    CHECK(gtr_log_summary(log)->n_missing == 1);
    gtr_log_free(log);
}

int main(void)
{
    RUN(a_reference_log_is_understood_without_options);
    RUN(usual_names_of_columns_are_understood);
    RUN(rows_may_come_series_by_series);
    RUN(dialects_of_tables_mean_the_same);
    RUN(quoted_fields_hold_anything);
    RUN(columns_can_be_named);
    RUN(keys_choose_among_the_names_of_a_long_table);
    RUN(a_wide_table_has_a_series_in_each_column_of_norms);
    RUN(columns_that_trackers_write_are_preferred);
    RUN(a_glob_chooses_columns_and_gives_them_short_names);
    RUN(rows_of_one_step_are_merged);
    RUN(nested_objects_are_joined_by_slashes_or_dots);
    RUN(histograms_are_passed_over);
    RUN(what_other_programs_call_json_is_read);
    RUN(a_row_for_each_series_is_read_from_json_too);
    return check_report();
}
