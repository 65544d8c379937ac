/* study.c - a trace, its groups, its norms, and the policies to try on them. */
#include "study.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char study_open_loop[] =
    "Replay is open loop: exact for the recorded gradients, while another policy would have led to "
    "other gradients.";

static enum gtr_code parse_policies(struct study *study, const struct cli_replay *replay,
                                    struct gtr_err *err)
{
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&study->settings, replay->n_policies, sizeof *study->settings, "policies",
                       err);
    for (i = 0; rc == GTR_OK && i < replay->n_policies; i++) {
        rc = gtr_setting_parse(replay->policies[i], &study->settings[i], err);
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

/* Only to see whether every KEY@GROUP finds its group; the replay binds again. */
static enum gtr_code check_groups(const struct study *study, struct gtr_err *err)
{
    const struct gtr_groups *groups = study->groups;
    union gtr_params *params = NULL;
    enum gtr_code rc;
    size_t i;

    rc = gtr_alloc_for(&params, groups->n_groups, sizeof *params, "groups", err);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++)
        rc = gtr_setting_bind(study->settings[i], (const char *const *)groups->names,
                              groups->n_groups, params, err);
    gtr_free(params);
    return rc;
}

enum gtr_code study_open(struct study *study, const char *path, const struct cli_common *common,
                         const struct cli_replay *replay, struct gtr_err *err)
{
    struct gtr_replay_options options = replay->options;
    enum gtr_code rc;

    memset(study, 0, sizeof *study);
    options.n_threads = common->n_threads;
    rc = parse_policies(study, replay, err);
    if (rc == GTR_OK)
        rc = label_policies(study, err);
    if (rc == GTR_OK)
        rc = gtr_trace_open(path, &study->trace, err);
    if (rc == GTR_OK)
        rc = gtr_groups_new(replay->group_by, gtr_trace_head(study->trace), &study->groups, err);
    if (rc == GTR_OK)
        rc = check_groups(study, err);
    if (rc == GTR_OK)
        rc = gtr_series_read(study->trace, study->groups, common->n_threads, &study->series, err);
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
