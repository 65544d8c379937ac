/* study.c - a trace, its groups, its norms, and the policies to try on them.
 *
 * Policies are parsed and bound to the groups before the norms are read, so that a typing error
 * costs no time.  A policy is called by its name, by its whole text if another has the same name,
 * and by text and number if that is the same as well.
 */
#include "study.h"

#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ranks.h"

const char study_open_loop[] =
    "Replay is open loop: exact for the recorded gradients, while another policy would have led to "
    "other gradients.";

const char study_expected[] =
    "Expected of a training: 5 standard errors over 10 stretches of this recording, which 9 of 10 "
    "trainings\nkept to.  Single steps are this run's for some tens of steps after the policies "
    "part, rates for far longer.";

static enum gtr_code parse_policies(struct study *study, const struct cli_replay *replay,
                                    struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&study->settings, replay->policies.n, sizeof *study->settings, "policies",
                       err);
    for (i = 0; rc == GTR_OK && i < replay->policies.n; i++) {
        rc = gtr_setting_parse(replay->policies.text[i], &study->settings[i], err);
        if (rc == GTR_OK)
            study->n_settings++;
    }
    return rc;
}

/* How many settings before `end` say the same by `text_of`. */
static size_t count_alike(const struct study *study, size_t i, size_t end,
                          const char *(*text_of)(const struct gtr_setting *))
{
    size_t n = 0, k;

    for (k = 0; k < end; k++)
        if (strcmp(text_of(study->settings[k]), text_of(study->settings[i])) == 0)
            n++;
    return n;
}

/* The name, or the whole text if another setting has the name, or the text with a number if
 * another setting has that as well. */
static enum gtr_code label_policies(struct study *study, struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&study->labels, study->n_settings, sizeof *study->labels, "policies", err);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        const char *text = gtr_setting_text(study->settings[i]);
        size_t before = count_alike(study, i, i, gtr_setting_text), size = strlen(text) + 24;

        if (count_alike(study, i, study->n_settings, gtr_setting_name) == 1)
            text = gtr_setting_name(study->settings[i]);
        rc = gtr_alloc_for(&study->labels[i], size, 1, "bytes", err);
        if (rc == GTR_OK && before == 0)
            snprintf(study->labels[i], size, "%s", text);
        else if (rc == GTR_OK)
            snprintf(study->labels[i], size, "%s #%zu", text, before + 1);
    }
    return rc;
}

/* A schedule without a plan stays at its start, which is seldom what was meant. */
static void note_missing_plan(const struct study *study, size_t i, const union gtr_params *params,
                              const struct cli_common *common)
{
    const struct gtr_policy_spec *policy = gtr_policy_spec(gtr_setting_policy(study->settings[i]));
    size_t j;

    for (j = 0; policy->needs_plan != NULL && j < study->groups->n_groups; j++) {
        if (!policy->needs_plan(&params[j]))
            continue;
        cli_note(common,
                 "%s: the planned length of the run is not known, so its schedule stays at "
                 "the start; pass --total-steps N",
                 study->labels[i]);
        return;
    }
}

/* Sees whether every KEY@GROUP finds its group, before the norms are read; the replay binds
 * again. */
static enum gtr_code check_groups(const struct study *study, const struct cli_common *common,
                                  const struct gtr_replay_options *options, struct gtr_err *err)
{
    /* --total-steps 0 (-1 here) says that there is no plan, and needs no reminder. */
    bool unplanned = options->total_steps == 0 && gtr_trace_head(study->trace)->total_steps == 0;
    const struct gtr_groups *groups = study->groups;
    union gtr_params *params = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&params, groups->n_groups, sizeof *params, "groups", err);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        rc = gtr_setting_bind(study->settings[i], (const char *const *)groups->names,
                              groups->n_groups, params, err);
        if (rc == GTR_OK && unplanned)
            note_missing_plan(study, i, params, common);
    }
    gtr_free(params);
    return rc;
}

/* A policy that sees what another has cut says little about either. */
static void note_clipped(const struct study *study, const struct cli_common *common)
{
    if (study->n_settings > 0 && strcmp(gtr_trace_head(study->trace)->grad_state, "post-clip") == 0)
        cli_note(common, "these norms were recorded after the run had clipped them; policies see "
                         "what was left");
}

/* A log has one row in some steps: 128 rows are then no 128 steps, and a moving average of the run
 * saw steps that are not there. */
static void note_stride(const struct study *study, const struct cli_common *common)
{
    int64_t stride = gtr_trace_stride(study->trace);

    if (stride > 1)
        cli_note(common,
                 "%s has one row in %lld steps: what is counted, and what policies and optimizers "
                 "remember, is rows; over all steps of the run it may differ",
                 gtr_trace_path(study->trace), (long long)stride);
}

/* What the settings need besides sums of squares. */
static unsigned series_needed(const struct study *study)
{
    unsigned what = 0;
    size_t i;

    for (i = 0; i < study->n_settings; i++)
        what |= gtr_setting_series(study->settings[i]);
    return what;
}

/* Told once, and not for each policy. */
static enum gtr_code choose_device(const struct study *study, const struct cli_common *common,
                                   struct gtr_replay_options *options, struct gtr_err *err)
{
    const struct gtr_device asked = options->device;
    enum gtr_code rc;

    rc = gtr_device_choose(&asked, (double)study->series->n_groups * (double)study->series->n_steps,
                           &options->device, err);
    if (rc == GTR_OK && study->n_settings > 0)
        cli_note_device(common, &options->device);
    return rc;
}

enum gtr_code study_open(struct study *study, const char *path, const struct cli_common *common,
                         const struct cli_replay *replay, struct gtr_err *err)
{
    struct gtr_replay_options options = replay->options;
    enum gtr_code rc;

    memset(study, 0, sizeof *study);
    options.size = sizeof options;
    options.n_threads = common->n_threads;
    rc = cli_check_device(&options.device, err);
    if (rc == GTR_OK)
        rc = parse_policies(study, replay, err);
    if (rc == GTR_OK)
        rc = label_policies(study, err);
    if (rc == GTR_OK)
        rc = gtr_trace_open(path, &study->trace, err);
    if (rc == GTR_OK)
        note_clipped(study, common);
    if (rc == GTR_OK)
        note_stride(study, common);
    if (rc == GTR_OK)
        rc = gtr_groups_new(replay->group_by, gtr_trace_head(study->trace), &study->groups, err);
    if (rc == GTR_OK)
        rc = check_groups(study, common, &options, err);
    if (rc == GTR_OK)
        rc = gtr_series_read_with(study->trace, study->groups, series_needed(study),
                                  common->n_threads, &study->series, err);
    if (rc == GTR_OK)
        rc = choose_device(study, common, &options, err);
    if (rc == GTR_OK)
        rc = gtr_replay_new(study->series, &options, &study->replay, err);
    return rc;
}

void study_close(struct study *study)
{
    size_t i;

    for (i = 0; i < study->n_settings; i++) {
        gtr_setting_free(study->settings[i]);
        if (study->labels != NULL)
            gtr_free(study->labels[i]);
    }
    gtr_free(study->settings);
    gtr_free(study->labels);
    gtr_replay_free(study->replay);
    gtr_series_free(study->series);
    gtr_groups_free(study->groups);
    gtr_trace_close(study->trace);
    memset(study, 0, sizeof *study);
}

bool study_optimizer(const struct study *study, struct gtr_optimizer *optimizer)
{
    gtr_optimizer_init(optimizer, GTR_ADAMW);
    return gtr_optimizer_from_meta(gtr_trace_head(study->trace)->meta, optimizer) != 0;
}

void study_optimizer_from(const struct study *study, struct gtr_optimizer *optimizer, char *text,
                          size_t size)
{
    bool known = study_optimizer(study, optimizer);
    char unlike[160];

    gtr_optimizer_unlike(gtr_trace_head(study->trace)->meta, unlike, sizeof unlike);
    if (unlike[0] != '\0')
        snprintf(text, size,
                 known ? "as the run was trained, but for %s, not simulated"
                       : "the default: %s, which the run was trained with, is not simulated",
                 unlike);
    else
        snprintf(text, size, "%s",
                 known ? "as the run was trained"
                       : "the default: the trace does not say how the run was trained");
}

enum gtr_code study_proxy(const struct study *study, const struct gtr_decisions *decisions,
                          const struct gtr_optimizer *optimizer, const int64_t *rows, size_t n_rows,
                          double **rho, struct gtr_err *err)
{
    size_t n = decisions->n_groups * decisions->n_steps, i;
    enum gtr_code rc = gtr_alloc_for(rho, n, sizeof **rho, "proxies", err);

    if (rc == GTR_OK && optimizer->id == GTR_SGD)
        memcpy(*rho, decisions->scale, n * sizeof **rho);
    else if (rc == GTR_OK && optimizer->id == GTR_LION)
        for (i = 0; i < n; i++)
            (*rho)[i] = (double)NAN;
    else if (rc == GTR_OK)
        rc = gtr_proxy_run(study->replay, decisions, rows, n_rows, optimizer->beta2, *rho, NULL,
                           err);
    return rc;
}

double study_beta2(const struct study *study)
{
    struct gtr_optimizer optimizer;

    study_optimizer(study, &optimizer);
    return optimizer.id == GTR_SGD || optimizer.id == GTR_LION ? 0.0 : optimizer.beta2;
}

/* What one object of a meta says of clipping. */
struct said {
    double limit;    /* 0: nothing */
    bool other_norm; /* and that it is of another norm than the 2-norm */
    bool several;    /* a list of clips: of parts of the model, or one after the other */
};

static double number_in(struct json_object *object, const char *key)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, key, &value) ||
        !(json_object_is_type(value, json_type_double) ||
          json_object_is_type(value, json_type_int)))
        return 0.0;
    return json_object_get_double(value);
}

static struct said said_in(struct json_object *object)
{
    struct said said = { 0 };
    struct json_object *value;

    if (!json_object_is_type(object, json_type_object))
        return said;
    said.limit = number_in(object, "max_grad_norm");
    if (!(said.limit > 0.0))
        said.limit = number_in(object, "max_norm");
    /* "inf" is a text: JSON has no such number. */
    said.other_norm = json_object_object_get_ex(object, "norm_type", &value) &&
                      json_object_get_double(value) != 2.0;
    said.several = json_object_object_get_ex(object, "clips", &value) &&
                   json_object_is_type(value, json_type_array);
    return said;
}

/* At the top; where that tells nothing, one level down. */
static struct said said_of_clipping(const char *meta)
{
    struct json_object *object = json_tokener_parse(meta);
    struct said said = said_in(object);

    if (json_object_is_type(object, json_type_object) && !said.several) {
        json_object_object_foreach(object, key, value)
        {
            (void)key;
            if (!(said.limit > 0.0))
                said = said_in(value);
        }
    }
    json_object_put(object);
    if (!(said.limit >= 1e-150 && said.limit < 1e150))
        said.limit = 0.0;
    return said;
}

double study_own_limit(const char *meta)
{
    struct said said = said_of_clipping(meta);

    return said.other_norm || said.several ? 0.0 : said.limit;
}

const char *study_no_limit(const char *meta)
{
    struct said said = said_of_clipping(meta);

    if (said.several)
        return "the run clipped parts of the model each by itself, or several times";
    return said.other_norm && said.limit > 0.0 ? "the run clipped another norm than the 2-norm"
                                               : NULL;
}

void study_take_rank(struct cli_common *common, struct gtr_device *device)
{
    char text[80];

    if (common->n_threads == 0)
        common->n_threads = ranks_threads();
    ranks_device(device);
    ranks_describe(common->n_threads, text, sizeof text);
    if (text[0] != '\0')
        cli_note(common, "%s", text);
}
