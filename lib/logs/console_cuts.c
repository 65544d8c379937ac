/* console_cuts.c - what trainers print, line by line: where the pairs are, and which is the step.
 *
 * Each function knows one grammar.  What is before a line - a time, a rank, a logger's name - is
 * skipped by looking for where the grammar begins; what is not a number is no pair.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <string.h>

#include "console_value.h"

static bool is_key(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '/' || c == '.' || c == '-' || c == '@';
}

/* `word` at the start of a word, or NULL. */
static const char *find_word(const char *line, const char *word)
{
    const char *at = line;

    while ((at = strstr(at, word)) != NULL && at > line && is_key(at[-1]))
        at++;
    return at;
}

/* --- key: value, key:value, key=value in a row ------------------------------------------------ */

/* All "key<sep> value" from `from` on. */
static void take_words(const char *from, char sep, struct gtr_pairs *pairs)
{
    const char *sign;

    while ((sign = strchr(from, sep)) != NULL) {
        const char *key = sign, *end;

        while (key > from && is_key(key[-1])) /* not back into the last value */
            key--;
        from = gtr_console_pair(pairs, key, sign, sign + 1, &end) ? end : sign + 1;
    }
}

/* torchtitan: step: 14  loss:  3.24405  grad_norm:  0.8319  memory:  9.46GiB(64.99%)
 * verl:       step:383 - critic/grad_norm:8.243 - actor/grad_norm:4.226 */
bool gtr_cut_words(const char *line, struct gtr_pairs *pairs)
{
    const char *at = find_word(line, "step:"), *end;

    if (at == NULL || !gtr_console_step(pairs, at + 5, &end))
        return false;
    take_words(end, ':', pairs);
    return true;
}

/* main.log:  s:100 trl:5.3 lr:0.0003 norm:1.25
 * console:   step  100/18865 | loss 5.3 (-1.2z)| norm 1.25 (+0.1z)| lr 3.0e-04 | 254.89 ms | ... */
bool gtr_cut_llmc(const char *line, struct gtr_pairs *pairs)
{
    const char *at = gtr_console_blanks(line), *end, *bar;

    if (strncmp(at, "s:", 2) == 0) {
        if (!gtr_console_step(pairs, at + 2, &end))
            return false;
        take_words(end, ':', pairs);
        return true;
    }
    at = find_word(line, "step ");
    if (at == NULL || !gtr_console_step(pairs, at + 5, &end) || pairs->total == 0)
        return false;
    for (bar = strchr(end, '|'); bar != NULL; bar = strchr(bar + 1, '|')) {
        const char *key = gtr_console_blanks(bar + 1), *value = key;

        while (*value != '\0' && *value != '|' && !isdigit((unsigned char)*value) &&
               !(strchr(" -+", *value) != NULL &&
                 (isdigit((unsigned char)value[1]) || strncmp(value + 1, "nan", 3) == 0 ||
                  strncmp(value + 1, "inf", 3) == 0)))
            value++;
        if (*value != '|')
            gtr_console_pair(pairs, key, value, value, &end);
    }
    return true;
}

/* --- between bars ----------------------------------------------------------------------------- */

/* Megatron-LM:  iteration       30/    1000 | lm loss: 2.2E+01 | grad norm: 16.999 | ...
 * NeMo:         Training epoch 0, iteration 9/99 | lr: 1.499e-07 | grad_norm: 5.1 | ...
 * nanotron:     iteration: 30 / 100 | lm_loss: 11.1 | lr: 0.0003 | grad_norm: 1.25 */
bool gtr_cut_bars(const char *line, struct gtr_pairs *pairs)
{
    const char *at = find_word(line, "iteration"), *end, *bar;

    if (at == NULL)
        return false;
    at += strlen("iteration");
    at += *at == ':';
    bar = strchr(at, '|');
    if (bar == NULL || !gtr_console_step(pairs, at, &end) || end > bar)
        return false;
    for (; bar != NULL; bar = strchr(bar + 1, '|')) {
        const char *colon = strchr(bar + 1, ':'), *next = strchrnul(bar + 1, '|');

        if (colon != NULL && colon < next)
            gtr_console_pair(pairs, bar + 1, colon, colon + 1, &end);
    }
    return true;
}

/* --- fairseq ---------------------------------------------------------------------------------- */

/* epoch 001:    100 / 1000 loss=12.3, ppl=5000, num_updates=100, lr=1e-05, gnorm=2.3, clip=10
 * and, of --log-format json, an object behind a prefix.  The lines "train | epoch 001 | ..." are
 * means over the epoch. */
bool gtr_cut_fairseq(const char *line, struct gtr_pairs *pairs)
{
    if (find_word(line, "gnorm=") == NULL || find_word(line, "num_updates=") == NULL)
        return false;
    take_words(line, '=', pairs);
    return true;
}

/* --- a dictionary on the line ----------------------------------------------------------------- */

/* {'loss': 2.43, 'grad_norm': 2.54, 'epoch': 0.01}, behind a progress bar or a logger's prefix. */
bool gtr_cut_dictionary(const char *line, struct gtr_pairs *pairs)
{
    const char *at = strstr(line, "{'"), *end = strrchr(line, '}');

    if (at == NULL)
        at = strstr(line, "{\"");
    if (at == NULL || end == NULL || end < at)
        return false;
    pairs->object = at;
    pairs->object_end = end + 1;
    return true;
}

/* --- epochs ----------------------------------------------------------------------------------- */

/* "[ 2][ 50/7330]" at the mark: the step counts on over the epochs.  "[50/160000]": it is there. */
static const char *take_brackets(const char *text, struct gtr_pairs *pairs)
{
    double epoch = 1.0, step, length;
    const char *end;

    text = gtr_console_blanks(text);
    end = *text == '[' ? gtr_console_number(text + 1, &step) : NULL;
    if (end == NULL)
        return NULL;
    if (*end == ']' && end[1] == '[') {
        epoch = step;
        end = gtr_console_number(end + 2, &step);
    }
    if (end == NULL || *end != '/')
        return NULL;
    end = gtr_console_number(end + 1, &length);
    if (end == NULL || *end != ']')
        return NULL;
    pairs->pair[pairs->n++] = (struct gtr_pair){ "step", 4, (epoch - 1.0) * length + step };
    return end + 1;
}

/* mmcv:      mmdet - INFO - Epoch [1][50/7330]  lr: 1.978e-03, ..., loss: 2.31, grad_norm: 4.5
 * mmengine:  mmengine - INFO - Epoch(train)  [1][ 50/7330]  lr: 1.0e-03  grad_norm: 3.2  loss: 1.2
 *            mmengine - INFO - Iter(train) [ 50/160000]  lr: ... */
bool gtr_cut_epochs(const char *line, struct gtr_pairs *pairs)
{
    static const char *const marks[] = { "Epoch(train)", "Iter(train)", "Epoch ", "Iter " };
    size_t i;

    for (i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = find_word(line, marks[i]);
        const char *rest = at != NULL ? take_brackets(at + strlen(marks[i]), pairs) : NULL;

        if (rest == NULL)
            continue;
        take_words(rest, ':', pairs);
        return true;
    }
    return false;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* A line "    name=value" under the one that has the step. */
static bool take_indented(const char *line, char sep, struct gtr_pairs *pairs)
{
    const char *at = gtr_console_blanks(line), *sign = strrchr(line, sep), *end;

    if (at == line || sign == NULL)
        return false;
    if (strncmp(at, "Train ", 6) == 0)
        at += 6;
    pairs->goes_on = true;
    return gtr_console_pair(pairs, at, sign, sign + 1, &end) && *gtr_console_blanks(end) == '\0';
}

/* OLMo:  [step=100/1000,epoch=0]
 *            train/CrossEntropyLoss=10.99
 *            optim/total_grad_norm=1,231.5 */
bool gtr_cut_block(const char *line, struct gtr_pairs *pairs)
{
    const char *at = strstr(line, "[step="), *end;

    if (at == NULL)
        return take_indented(line, '=', pairs);
    return gtr_console_step(pairs, at + 6, &end);
}

/* Console: [epoch=1][batch=10/100]:            File: [metric][batch=10]: l2_norm/grad/global: 1.25
 *              Train l2_norm/grad/global: 1.25 */
bool gtr_cut_composer(const char *line, struct gtr_pairs *pairs)
{
    const char *at = strstr(line, "[batch="), *epoch = strstr(line, "[epoch="), *end;

    if (at == NULL)
        return take_indented(line, ':', pairs);
    if (!gtr_console_step(pairs, at + 7, &end) || *end != ']')
        return false;
    pairs->total = 0; /* batches of an epoch */
    if (epoch != NULL) {
        const char *rest;

        gtr_console_pair(pairs, epoch + 1, epoch + 6, epoch + 7, &rest);
    }
    if (end[1] == ':' && end[2] == ' ') {
        const char *sign = strrchr(end, ':');

        if (sign > end + 2)
            gtr_console_pair(pairs, end + 3, sign, sign + 1, &end);
    }
    return true;
}
