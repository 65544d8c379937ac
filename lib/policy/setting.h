/* setting.h - one assignment of a policy's parameters, as a user writes it.
 *
 *     NAME[:KEY=VALUE,...]        NAME: a policy or a preset
 *     KEY                         a parameter, for all groups
 *     KEY@GROUP                   the same for the groups that match a glob, e.g. beta@*_proj
 *     GROUP                       short for max_norm@GROUP, where the policy has a limit per group
 *
 * Entries apply in order, a later one over an earlier one; a preset's own come first.  So a plain
 * KEY also replaces what an earlier KEY@GROUP said: put the general before the particular, as in
 * "group:max_norm=1,q_proj=0.5".  A limit and a quantile to find it from are two ways to say one
 * thing: for each group the later one counts and puts the earlier one back to its default.
 *
 * VALUE is a number in the range that the catalogue gives, or one of its words.  Where the words
 * are off and on, no, false, 0 and yes, true, 1 mean the same.
 *
 * GROUP is a glob of the kind that shells use (fnmatch: * ? [...]; a * also matches slashes and
 * dots).  A backslash before a character takes away its meaning, here too for the four that
 * separate, so a group that is called "a,b=*" is written "a\,b\=\*"; an @ is written "\@" in the
 * short form.  A group with the name of a parameter needs the long form: max_norm@eps.
 */
#ifndef GTR_SETTING_H
#define GTR_SETTING_H

#include <stddef.h>

#include "catalogue.h"
#include "err.h"

GTR_PUBLIC_BEGIN

struct gtr_setting;

/* Parses the whole text; an unknown name is answered with the nearest one.  Group names are
 * checked when the setting is bound.  Free with gtr_setting_free. */
enum gtr_code gtr_setting_parse(const char *text, struct gtr_setting **setting,
                                struct gtr_err *err);
void gtr_setting_free(struct gtr_setting *setting);

enum gtr_policy_id gtr_setting_policy(const struct gtr_setting *setting);

/* What the user typed, and the name before its colon; both borrowed from the setting. */
const char *gtr_setting_text(const struct gtr_setting *setting);
const char *gtr_setting_name(const struct gtr_setting *setting);

/* The setting written out in full, presets resolved and defaults left out; it parses back to the
 * same setting.  The caller frees it with gtr_free; NULL if there is no memory. */
char *gtr_setting_print(const struct gtr_setting *setting);

GTR_PUBLIC_END

#endif
