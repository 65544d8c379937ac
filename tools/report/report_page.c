/* report_page.c - the page around its sections: head, what is in it, fine print. */

#include "figure.h"
#include "report_write.h"

/* --- fine print ------------------------------------------------------------------------------ */

static const struct {
    const char *id, *word, *meaning;
} glossary[] = {
    { "norm", "norm",
      "The length of a gradient: the root of the sum of the squares of its elements (L2)." },
    { "clip", "clip, limit",
      "To shrink a gradient whose norm is above a limit, so that one odd batch cannot throw "
      "the weights far off." },
    { "group", "group",
      "Tensors that are counted together, here by the rule named in the first section; the "
      "whole gradient is all groups together." },
    { "policy", "policy",
      "A rule that says by what factor each group&#39;s gradient is multiplied at each step." },
    { "global", "global limit",
      "One limit for the norm of the whole gradient, one factor for all groups: what "
      "<code>clip_grad_norm_</code> in PyTorch and <code>max_grad_norm</code> in most trainers "
      "do." },
    { "aggc", "aggc",
      "Adaptive group-wise clipping (arXiv 2601.11864): holds each group&#39;s norm in an "
      "interval around its own moving average." },
    { "scale", "scale", "That factor: 1 leaves the gradient as it is, 0.5 halves it." },
    { "decision", "decision", "One group at one step." },
    { "expected", "expected",
      "What a training with the policy may come to: 5 standard errors to either side, over 10 "
      "stretches of the recording.  9 of 10 trainings kept to such intervals.  Single steps are "
      "this run&#39;s for some tens of steps after the policies part." },
    { "tail", "tail",
      "99th percentile of the norms over their median; 1 would be a run without any outliers." },
    { "direction", "direction kept",
      "Cosine between the recorded gradient and the one that the policy let through; 1 for a "
      "global limit, which shrinks all groups alike." },
    { "innocent", "above its past, innocent",
      "A group is above its past at a step where its norm exceeds its own running average, in "
      "which "
      "a spike counts for little, by a factor given in the text; otherwise it is innocent, or idle "
      "if it has no gradient." },
    { "spillover", "spill-over",
      "The part of the excess that falls on bystanders: of the groups with a gradient, those that "
      "are not above their past." },
    { "excess", "excess",
      "What clipping takes at a step beyond what it would have taken had no group been above "
      "its past." },
    { "nat", "nat", "A factor on a logarithmic scale: 0.01 nats shrink by 1%, 0.69 nats by half." },
    { "blame", "blame",
      "Each group&#39;s part of the excess, by its Shapley value: what it adds, averaged over "
      "all orders in which the groups could have risen." },
    { "update", "update",
      "What the optimizer adds to the weights, before the learning rate.  Adam divides by the "
      "size of recent gradients, so a factor that is always the same cancels." },
    { "openloop", "open loop",
      "Every number here is computed from gradients that were recorded once.  With another "
      "policy the run would have taken other steps and met other gradients." },
};

static void put_fine_print(struct report *r)
{
    size_t i;

    report_section(r, "fine-print", "8. Fine print");
    fprintf(r->f, "<p>%s</p>\n<h3>Words</h3>\n<dl class=glossary>\n", study_open_loop);
    for (i = 0; i < GTR_ARRAY_LEN(glossary); i++)
        fprintf(r->f, "<dt id=term-%s>%s</dt><dd>%s</dd>\n", glossary[i].id, glossary[i].word,
                glossary[i].meaning);
    fputs("</dl>\n<h3>Numbers</h3>\n<p>Numbers have three digits, and shares one or two decimals; "
          "the "
          "page holds the exact values too, and <code>--tsv FOLDER</code> writes them as "
          "tables, those in sentences to <code>facts.tsv</code>.  Steps with NaN or infinite "
          "gradients are left out.  Click on a column&#39;s name to sort by it.</p>\n<h3>Made "
          "by</h3>\n",
          r->f);
    report_put_command(r);
    fputs("<p class=soft>gradtrace " GTR_VERSION ".  The same trace, settings and release give "
          "the same page, byte for "
          "byte.</p>\n</section>\n",
          r->f);
}

/* --- the page -------------------------------------------------------------------------------- */

static void put_head(struct report *r)
{
    const struct report_options *o = r->found->options;
    const char *title = o->title != NULL ? o->title : figure_trace_name(o->trace);

    fputs("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport "
          "content=\"width=device-width,initial-scale=1\">\n<title>",
          r->f);
    report_escape(r->f, title);
    fputs(" · gradtrace report</title>\n", r->f);
    report_put_style(r->f);
    fputs("</head>\n<body>\n<header>\n<p class=kicker>gradtrace report</p>\n<h1>", r->f);
    report_escape(r->f, title);
    fputs("</h1>\n<p class=lede>While a model trains, gradient clipping shrinks gradients "
          "whose norm is too large.  From the norms that one run recorded, this page works out "
          "what clipping did or would have done to it: how often, to whom, because of whom, "
          "and how much of it the optimizer ever noticed.</p>\n<nav aria-label=Sections><a "
          "href=\"#run\">Recorded</a><a href=\"#clip\">Does it engage?</a><a "
          "href=\"#spill\">Who pays?</a><a href=\"#compare\">Compared</a><a "
          "href=\"#doctor\">Doctor</a><a href=\"#update\">Optimizer</a><a "
          "href=\"#next\">Next</a><a href=\"#fine-print\">Fine print</a></nav>\n",
          r->f);
    if (r->no_figures != NULL)
        fprintf(r->f,
                "<p class=caution>Figures are missing from this page: %s when it was made.</p>\n",
                r->no_figures);
    fputs("</header>\n<main>\n", r->f);
}

enum gtr_code report_page(FILE *f, const struct report_found *found, const char *folder,
                          const char *no_figures, struct gtr_err *err)
{
    struct report r = {
        .f = f, .folder = folder, .found = found, .section = "", .no_figures = no_figures
    };

    rows_open(&r.facts, report_open(&r, "facts.tsv"), false);
    if (r.facts.f != NULL) {
        rows_columns(&r.facts, "section fact value");
        put_head(&r);
        report_in_short(&r);
        report_run(&r);
        report_clip(&r);
        report_spill(&r);
        report_compare(&r);
        report_doctor(&r);
        report_update(&r);
        report_next(&r);
        put_fine_print(&r);
        fputs("</main>\n", f);
        report_put_script(f);
        fputs("</body>\n</html>\n", f);
    }
    if (r.facts.f != NULL)
        report_close(&r, &r.facts, "facts.tsv");
    return r.rc == GTR_OK ? GTR_OK : gtr_fail(err, r.rc, "%s", r.err.text);
}
