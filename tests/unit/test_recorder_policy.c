/* test_recorder_policy.c - a policy that looks on while gradients are recorded decides what it
 * decides when the trace is replayed. */
#define _XOPEN_SOURCE 700
#include <math.h>

#include "gradtrace_lab.h"
#include "random.h"
#include "recording.h"

enum { TENSORS = 4, STEPS = 160 };

static const char *const names[TENSORS] = { "layers.0.q_proj.weight", "layers.0.up_proj.weight",
                                            "layers.1.q_proj.weight", "layers.1.up_proj.weight" };

static struct gtr_record_options watching(const char *policy, double scale)
{
    struct gtr_record_options options;

    gtr_record_options_init(&options);
    options.elements = GTR_ELEMENTS_FULL;
    options.around_spikes = 1;
    options.spike_kappa = 1e9; /* no norm is a spike by itself */
    options.spike_policy = policy;
    options.spike_scale = scale;
    options.total_steps = STEPS;
    return options;
}

static struct gtr_recorder *open_four(const struct gtr_record_options *options, struct gtr_err *err)
{
    struct gtr_recorder *r = NULL;
    size_t i;

    gtr_recorder_open(path, options, &r, err);
    for (i = 0; r != NULL && i < TENSORS; i++)
        gtr_recorder_tensor(r, names[i], "1", 1, GTR_F32, err);
    return r;
}

/* Norms around 1, now and then one of ten times that; some step is not finite. */
static struct gtr_trace *record(const struct gtr_record_options *options)
{
    struct gtr_err err = { 0 };
    struct gtr_recorder *r = open_four(options, &err);
    struct gtr_random random;
    int64_t t;
    size_t i;

    gtr_random_init(&random, 5, 0);
    for (t = 0; t < STEPS; t++) {
        gtr_recorder_begin(r, t, 0.0, 0.0, &err);
        for (i = 0; i < TENSORS; i++) {
            float value = expf(0.3f * (float)gtr_random_normal(&random));

            if (gtr_random_below(&random, 40) == 0)
                value *= 10.0f;
            if (t == 70 && i == 1)
                value = NAN;
            gtr_recorder_grad(r, i, &value, &err);
        }
        gtr_recorder_end(r, &err);
    }
    gtr_recorder_close(r, &err);
    CHECK_TEXT(err.text, "");
    return read_back();
}

/* Steps at which a replay of the trace scales some group by less. */
static void replay(const struct gtr_trace *trace, const char *policy, double scale, bool *spikes)
{
    const struct gtr_replay_options options = { .size = sizeof options };
    struct gtr_groups *groups = NULL;
    struct gtr_series *series = NULL;
    struct gtr_replay *whole = NULL;
    struct gtr_setting *setting = NULL;
    struct gtr_decisions *decisions = NULL;
    struct gtr_err err = { 0 };
    size_t t, j;

    gtr_groups_new(NULL, gtr_trace_head(trace), &groups, &err);
    gtr_series_read(trace, groups, 1, &series, &err);
    gtr_replay_new(series, &options, &whole, &err);
    gtr_setting_parse(policy, &setting, &err);
    gtr_replay_run(whole, setting, &decisions, &err);
    CHECK_TEXT(err.text, "");
    for (t = 0; t < STEPS; t++) {
        spikes[t] = t == 70;
        for (j = 0; j < decisions->n_groups; j++)
            spikes[t] = spikes[t] || decisions->scale[j * STEPS + t] < scale;
    }
    gtr_decisions_free(decisions);
    gtr_setting_free(setting);
    gtr_replay_free(whole);
    gtr_series_free(series);
    gtr_groups_free(groups);
}

static void a_policy_finds_the_spikes_that_its_replay_finds(void)
{
    static const struct {
        const char *policy;
        double scale;
    } cases[] = { { "global:max_norm=4", 0.5 },
                  { "group:max_norm=2,q_proj=4", 0.7 },
                  { "aggc-paper", 0.5 },
                  { "aggc:high=1.5,beta=0.9", 0.6 },
                  { "aggc:high=3,high_late=1.3,switch=0.4,transition=0.1", 0.5 },
                  { "none", 0.9 } };
    size_t k, t, c;

    for (k = 0; k < GTR_ARRAY_LEN(cases); k++) {
        const struct gtr_record_options options = watching(cases[k].policy, cases[k].scale);
        struct gtr_trace *trace = record(&options);
        bool spikes[STEPS + 2] = { false }, captured[STEPS] = { false };
        size_t n = 0;

        replay(trace, cases[k].policy, cases[k].scale, spikes + 1);
        for (c = 0; c < gtr_trace_n_captures(trace); c++)
            captured[gtr_trace_capture_rows(trace)[c]] = true;
        for (t = 0; t < STEPS; t++) {
            CHECK(captured[t] == (spikes[t] || spikes[t + 1] || spikes[t + 2]));
            n += spikes[t + 1];
        }
        CHECK(strcmp(cases[k].policy, "none") == 0 ? n == 1 : n > 2 && n < STEPS / 2);
        gtr_trace_close(trace);
        remove_trace();
    }
}

static void check_refused(const char *policy, double scale, int64_t around, const char *why)
{
    struct gtr_record_options options = watching(policy, scale);
    struct gtr_err err = { 0 };
    struct gtr_recorder *r;

    options.around_spikes = around;
    r = open_four(&options, &err);
    if (r != NULL)
        gtr_recorder_begin(r, 0, 0.0, 0.0, &err);
    CHECK(err.code == GTR_EUSAGE);
    CHECK_HOLDS(err.text, why);
    gtr_recorder_abandon(r);
    remove_trace();
}

static void a_policy_that_cannot_look_on_is_refused(void)
{
    check_refused("globl", 0.5, 1, "did you mean global");
    check_refused("global:max_norm=-1", 0.5, 1, "max_norm");
    check_refused("global:max_norm=1", 0.0, 1, "needs a spike_scale above 0");
    check_refused("global:max_norm=1", 0.5, 0, "needs around_spikes");
    check_refused("group:quantile=0.9", 0.5, 1, "quantile is found from the norms of a whole run");
    check_refused("group:max_norm=1,v_proj=2", 0.5, 1, "v_proj");
}

int main(void)
{
    recording_init();
    RUN(a_policy_finds_the_spikes_that_its_replay_finds);
    RUN(a_policy_that_cannot_look_on_is_refused);
    return check_report();
}
