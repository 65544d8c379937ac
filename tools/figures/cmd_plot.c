/* cmd_plot.c - `gradtrace plot`: study, replays, pictures. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "plot_options.h"
#include "plot_pictures.h"
#include "study.h"

static bool compares(const struct plot_options *o)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (o->wanted[i] && figures[i].replays)
            return true;
    return false;
}

static enum gtr_code default_policies(struct plot_options *o, struct gtr_err *err)
{
    static const char *const defaults[] = { "global:max_norm=1", "aggc" };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (o->replay.n_policies > 0)
        return GTR_OK;
    rc = gtr_grow(&o->replay.policies, &o->replay.capacity, GTR_ARRAY_LEN(defaults),
                  sizeof *o->replay.policies, err);
    for (i = 0; rc == GTR_OK && i < GTR_ARRAY_LEN(defaults); i++)
        o->replay.policies[o->replay.n_policies++] = defaults[i];
    if (rc == GTR_OK && compares(o))
        cli_note(&o->common, "no -p was given: showing -p %s -p %s", defaults[0], defaults[1]);
    return rc;
}

static enum gtr_code list_pictures(const struct plot_options *o, const struct figure_view *view,
                                   struct picture_list *list, struct gtr_err *err)
{
    enum gtr_code rc = GTR_OK;
    const char *why;
    size_t i;

    for (i = 0; rc == GTR_OK && i < N_FIGURES; i++) {
        if (!o->wanted[i])
            continue;
        rc = plot_pictures_add(list, &figures[i], view, &why, err);
        if (rc == GTR_OK && why != NULL)
            cli_note(&o->common, "%s: nothing to show: %s", figures[i].name, why);
    }
    return rc;
}

/* What the user typed, if there is room for it over a panel. */
static const char *title_of(const struct study *study, size_t policy)
{
    const char *text = gtr_setting_text(study->settings[policy]);

    return strlen(text) <= FIGURE_TITLE ? text : study->labels[policy];
}

static bool wants(const struct plot_options *o, const char *name)
{
    size_t i;

    for (i = 0; i < N_FIGURES; i++)
        if (strcmp(figures[i].name, name) == 0)
            return o->wanted[i];
    return false;
}

/* --group names a group for `interval` and a module kind for `layers`.  Where both are drawn and it
 * is only a group, `layers` shows all modules. */
static enum gtr_code fill_view(struct figure_view *view, const struct plot_options *o,
                               const struct study *study, struct gtr_err *err)
{
    const char *module = o->group;
    struct gtr_err first = { 0 };
    enum gtr_code rc = GTR_OK;

    if (wants(o, "layers")) {
        rc = figure_view_layers(view, study->trace, module, o->common.n_threads, &first);
        if (rc == GTR_EUSAGE && wants(o, "interval")) {
            module = NULL;
            rc = figure_view_layers(view, study->trace, NULL, o->common.n_threads, &first);
        }
        if (rc != GTR_OK)
            return gtr_fail(err, rc, "%s", first.text);
    }
    rc = figure_view_fill(view, wants(o, "interval") || !wants(o, "layers") ? o->group : NULL, err);
    if (rc == GTR_OK && o->group != NULL && module == NULL)
        cli_note(&o->common, "layers: %s is no module kind; showing all tensors", o->group);
    if (rc == GTR_OK && wants(o, "spike"))
        rc = figure_view_spike(view, o->has_step ? &o->step : NULL, err);
    return rc;
}

/* Runs every policy and draws. */
static enum gtr_code plot(struct plot_options *o, const struct study *study,
                          struct gtr_decisions **decisions, const char **titles,
                          struct gtr_err *err)
{
    struct figure_view view = {
        .series = study->series,
        .steps = gtr_trace_steps(study->trace),
        .skip = gtr_replay_skip(study->replay),
        .trace = figure_trace_name(o->trace),
        .n_policies = study->n_settings,
        .labels = (const char *const *)study->labels,
        .titles = titles,
        .decisions = decisions,
        .bin = o->bin,
        .tail = o->tail,
    };
    const struct picture_source source = plot_source(&view);
    struct picture_list list = { 0 };
    enum gtr_code rc = GTR_OK;
    size_t i;

    if (view.series->n_steps == 0)
        return gtr_fail(err, GTR_EFORMAT, "%s: has no steps; there is nothing to draw", o->trace);
    for (i = 0; rc == GTR_OK && i < study->n_settings; i++) {
        titles[i] = title_of(study, i);
        rc = gtr_replay_run(study->replay, study->settings[i], &decisions[i], err);
    }
    if (rc == GTR_OK)
        rc = fill_view(&view, o, study, err);
    if (rc == GTR_OK)
        rc = list_pictures(o, &view, &list, err);
    if (rc == GTR_OK)
        rc = figure_make(&list, &source, &o->drawn, &o->common, err);
    if (rc == GTR_OK && compares(o) && figure_has_decisions(&view))
        cli_note(&o->common, "%s", study_open_loop);
    picture_list_free(&list);
    figure_view_free(&view);
    return rc;
}

int cmd_plot(int argc, char **argv)
{
    struct plot_options o = { .replay = { .options = { .keep_interval = 1 } } };
    struct gtr_decisions **decisions = NULL;
    const char **titles = NULL;
    struct study study = { 0 };
    struct gtr_err err = { 0 };
    enum gtr_code rc;
    int status = EXIT_DONE;
    size_t i;

    plot_options_parse(&o, argc, argv);
    rc = default_policies(&o, &err);
    if (rc == GTR_OK)
        rc = study_open(&study, o.trace, &o.common, &o.replay, &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&decisions, study.n_settings, sizeof *decisions, "policies", &err);
    if (rc == GTR_OK)
        rc = gtr_alloc_for(&titles, study.n_settings, sizeof *titles, "policies", &err);
    if (rc == GTR_OK)
        rc = plot(&o, &study, decisions, titles, &err);
    if (rc != GTR_OK)
        status = cli_fail(&o.common, &err);
    for (i = 0; decisions != NULL && i < study.n_settings; i++)
        gtr_decisions_free(decisions[i]);
    gtr_free(decisions);
    gtr_free(titles);
    study_close(&study);
    cli_replay_free(&o.replay);
    return status;
}
