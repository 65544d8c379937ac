/* policy_headers.h - the headers of all policies.
 *
 * Included twice and more, so without a guard of its own: first for what each policy is told and
 * remembers, then, once the operators are defined, for their steps (operators.h).
 */
#ifdef STEP
#include "policy_ratio.h"
#endif
#include "policy_adagc.h"
#include "policy_adagc_global.h"
#include "policy_agc.h"
#include "policy_aggc.h"
#include "policy_autoclip.h"
#include "policy_emaclip.h"
#include "policy_global.h"
#include "policy_group.h"
#include "policy_llmc.h"
#include "policy_none.h"
#include "policy_olmo.h"
#include "policy_rms.h"
#include "policy_rolling.h"
#include "policy_sigma.h"
#include "policy_skipstep.h"
#include "policy_stablespam.h"
#include "policy_trellis.h"
#include "policy_zclip.h"
