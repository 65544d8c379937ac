/* test_lanes_cuda.c - replay on a GPU: the decisions of the CPU, to the bit. */
#include <math.h>

#include "check.h"
#include "edge_series.h"
#include "gradtrace_lab.h"

static const char *const settings[] = {
    "none",
    "global:max_norm=3",
    "global:max_norm=3,eps=0,strict=on",
    "group:max_norm=2",
    "group:quantile=0.9",
    "aggc-paper",
    "aggc-code-lora",
    "aggc-code-grpo",
    "aggc:form=code,raise=on,max_up=1.1,max_down=0.1,low=0.95,high=0.6",
    "aggc:form=paper,init=zero,raise=on,norm_eps=1e-16,transition=0",
    "aggc:form=fixed,min_norm=1,max_norm=3,raise=on,max_up=4",
    "aggc:schedule=none,min_norm=0.5,raise=on",
    "torch-inf:max_norm=2,precision=fp32",
    "keras-global:max_norm=3",
    "deepspeed:max_norm=3",
    "megatron:max_norm=3,skip_above=20",
    "keras-clipnorm:max_norm=2",
    "zclip:warmup=7",
    "zclip-percentile:warmup=7,update=off",
    "autoclip:percentile=60",
    "adagc:warmup=5",
    "adagc-paddle:warmup=5",
    "adagc-optimizer:warmup=5",
    "adagc-global:warmup=5",
    "olmo",
    "olmo:precision=fp64",
    "skipstep:window=16,sigmas=1",
    "levanter-skip:window=16,sigmas=1",
    "llmc:window=16,z_norm=1,z_loss=1",
    "agc",
    "agc-composer",
    "rms:threshold=0.5",
    "trellis:window=12",
    "emaclip:above=1.2",
    "sigma:sigmas=1",
    "levanter-clip:window=16,sigmas=1",
    "stablespam:gap=30",
};

static void compare(const struct gtr_series *series, const char *text,
                    const struct gtr_replay_options *asked)
{
    struct gtr_replay_options options = *asked;
    struct gtr_decisions *decisions[2] = { NULL };
    size_t n = series->n_groups * series->n_steps, i;
    struct gtr_setting *setting = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_setting_parse(text, &setting, &err) == GTR_OK);
    for (i = 0; i < 2; i++) {
        struct gtr_replay *replay = NULL;

        options.device = (struct gtr_device){ i == 0 ? GTR_DEVICE_CPU : GTR_DEVICE_CUDA, -1 };
        CHECK(gtr_replay_new(series, &options, &replay, &err) == GTR_OK);
        CHECK(gtr_replay_run(replay, setting, &decisions[i], &err) == GTR_OK);
        CHECK_TEXT(err.text, "");
        gtr_replay_free(replay);
    }
    if (decisions[0] != NULL && decisions[1] != NULL) {
        check_same(text, decisions[1]->scale, decisions[0]->scale, n);
        CHECK(memcmp(decisions[1]->flags, decisions[0]->flags, n) == 0);
        CHECK(memcmp(decisions[1]->params, decisions[0]->params,
                     series->n_groups * sizeof *decisions[0]->params) == 0);
        CHECK((decisions[1]->lower != NULL) == (options.keep_interval != 0));
        if (options.keep_interval) {
            check_same(text, decisions[1]->lower, decisions[0]->lower, n);
            check_same(text, decisions[1]->upper, decisions[0]->upper, n);
        }
    }
    gtr_decisions_free(decisions[0]);
    gtr_decisions_free(decisions[1]);
    gtr_setting_free(setting);
}

static void compare_all(size_t n_groups, size_t n_steps, size_t left_out)
{
    int kind, rule, keep;
    size_t k;

    for (kind = 0; kind < EDGE_KINDS; kind++) {
        struct gtr_series *series = edge_series((enum edge_kind)kind, n_groups, n_steps, left_out);

        for (rule = 0; rule < 2; rule++)
            for (keep = 0; keep < 2; keep++)
                for (k = 0; k < GTR_ARRAY_LEN(settings); k++) {
                    const struct gtr_replay_options options = { .size = sizeof options,
                                                                .nonfinite = rule ? GTR_PROPAGATE
                                                                                  : GTR_SKIP_STEP,
                                                                .keep_interval = keep };

                    compare(series, settings[k], &options);
                }
        gtr_series_free(series);
    }
}

static void every_policy_decides_as_on_the_cpu(void)
{
    compare_all(7, 130, 7);
}

static void one_lane_and_one_step_are_enough(void)
{
    compare_all(1, 1, 1);
    compare_all(1, 67, 1);
}

static void more_groups_than_threads_of_a_block(void)
{
    compare_all(150, 9, 150);
}

static void a_group_that_is_left_out_is_left_alone(void)
{
    compare_all(5, 40, 0);
    compare_all(5, 40, 3);
    compare_all(5, 40, 4);
}

static void a_gpu_that_is_not_there_is_an_error(void)
{
    struct gtr_series *series = edge_series(EDGE_SMOOTH, 2, 4, 2);
    const struct gtr_replay_options options = { .size = sizeof options,
                                                .device = { GTR_DEVICE_CUDA, 900 } };
    struct gtr_decisions *decisions = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_replay *replay = NULL;
    struct gtr_err err = { 0 };

    CHECK(gtr_setting_parse("none", &setting, NULL) == GTR_OK);
    CHECK(gtr_replay_new(series, &options, &replay, NULL) == GTR_OK);
    CHECK(gtr_replay_run(replay, setting, &decisions, &err) == GTR_EDEVICE && decisions == NULL);
    CHECK_HOLDS(err.text, "cuda:900: no such GPU");
    gtr_replay_free(replay);
    gtr_setting_free(setting);
    gtr_series_free(series);
}

int main(void)
{
    if (skipped_without_gpu(5))
        return 0;
    RUN(every_policy_decides_as_on_the_cpu);
    RUN(one_lane_and_one_step_are_enough);
    RUN(more_groups_than_threads_of_a_block);
    RUN(a_group_that_is_left_out_is_left_alone);
    RUN(a_gpu_that_is_not_there_is_an_error);
    return check_report();
}
