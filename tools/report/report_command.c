/* report_command.c - commands on the page, to be copied into a shell.
 *
 * Each can be pasted as it stands: names and paths are quoted for the shell.
 */
#include <string.h>

#include "report_write.h"

static bool is_plain(const char *word)
{
    return word[0] != '\0' &&
           strspn(word,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%") ==
               strlen(word);
}

void report_put_word(FILE *f, const char *word)
{
    if (is_plain(word)) {
        report_escape(f, word);
        return;
    }
    fputs("&#39;", f);
    while (*word != '\0') {
        fputs(*word == '\'' ? "&#39;\\&#39;" : "", f);
        word = report_escape_letter(f, word);
    }
    fputs("&#39;", f);
}

/* On as few lines as are not too long. */
void report_put_policies(struct report *r)
{
    enum { INDENT = 4, WIDTH = 84 };
    const struct cli_replay *replay = &r->found->options->replay;
    size_t column = WIDTH, i;

    for (i = 0; i < replay->policies.n; i++) {
        size_t length = strlen(replay->policies.text[i]) + strlen(" -p ");

        if (column + length > WIDTH) {
            fprintf(r->f, " \\\n%*s", INDENT - 1, "");
            column = INDENT;
        }
        fputs(" -p ", r->f);
        report_put_word(r->f, replay->policies.text[i]);
        column += length;
    }
}

void report_put_command(struct report *r)
{
    const struct report_options *o = r->found->options;
    const struct cli_replay *replay = &o->replay;

    fputs("<pre><code>gradtrace report ", r->f);
    report_put_word(r->f, o->trace);
    report_put_policies(r);
    if (replay->group_by != NULL) {
        fputs(" --group-by ", r->f);
        report_put_word(r->f, replay->group_by);
    }
    if (replay->options.total_steps != 0)
        fprintf(r->f, " --total-steps %lld",
                replay->options.total_steps > 0 ? (long long)replay->options.total_steps : 0);
    if (replay->options.nonfinite == GTR_PROPAGATE)
        fputs(" --nonfinite propagate", r->f);
    if (o->title != NULL) {
        fputs(" --title ", r->f);
        report_put_word(r->f, o->title);
    }
    fputs(" \\\n    -o ", r->f);
    report_put_word(r->f, o->output);
    fputs("</code></pre>\n", r->f);
}
