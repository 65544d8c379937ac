/* gradtrace_lab.h - studies of recorded runs, and what else the program gradtrace is made of.
 *
 * What stands here may change from release to release: calls, structs and their sizes.  Compile
 * against the release that you link.  What stays is in gradtrace.h.  The parts:
 *
 *   base/text.h            numbers as text, exactly, and names nearly right
 *   base/alloc.h           memory that is zeroed and checked for overflow
 *   base/outfile.h         a file that appears whole or not at all
 *   policy/policy_*.h      the parameters of each policy
 *   policy/policy.h        those of any policy
 *   policy/params.h        the parameters that a setting gives to each group
 *   segment/segment_recover.h  is a trace whole, and what can be kept of one that is not
 *   segment/merge.h        segments and ranks into one trace
 *   logs/import.h          logs that people already have, as traces
 *   logs/export.h          a trace's norms as text
 *   update/optimizer.h     the optimizers that can be simulated
 *   update/update.h        what of a policy reaches the optimizer, from captured elements
 *   study/scaling.h        statistics of what a setting did
 *   study/result.h         decisions and statistics as an HDF5 file
 *   study/proxy.h          updates, guessed from norms
 *   study/update_values.h  norms, changes and directions of updates
 *   study/update_result.h  updates as an HDF5 file
 *   study/baseline.h       what a group's norm is expected to be, by base/follower.h
 *   study/objectives.h     numbers by which settings are compared
 *   study/compare.h        do two runs differ, or is it noise
 *   study/blame.h          who caused a step's attenuation, and how much of it
 *   study/spill.h          what a global limit takes from those who did nothing
 *   study/spill_result.h   the same as an HDF5 file
 *   sweep/plan.h           which settings a sweep tries
 *   sweep/sweep.h          objectives of many settings over one trace
 *   sweep/sweep_file.h     what a sweep found, as a file
 *   sweep/choose.h         limits and goals, as a user writes them
 *   sweep/front.h          the settings that no other beats, and the knee
 *   sweep/advice.h         a recommendation with its reasons
 *   sweep/sensitivity.h    which knob matters
 *   sweep/stability.h      are the best settings best elsewhere too
 *   doctor/doctor.h        what is wrong with a run or a setting
 *   simulate/layout.h      tensors of well-known models
 *   simulate/scenario.h    what may happen in a synthetic run
 *   simulate/simulate.h    synthetic traces of which the truth is known
 */
#ifndef GRADTRACE_LAB_H
#define GRADTRACE_LAB_H

#include "gradtrace.h"

#include "text.h"
#include "alloc.h"
#include "outfile.h"
#include "policy.h"
#include "params.h"
#include "segment_recover.h"
#include "merge.h"
#include "import.h"
#include "export.h"
#include "optimizer.h"
#include "update.h"
#include "scaling.h"
#include "result.h"
#include "proxy.h"
#include "update_values.h"
#include "update_result.h"
#include "baseline.h"
#include "objectives.h"
#include "compare.h"
#include "blame.h"
#include "spill.h"
#include "spill_result.h"
#include "plan.h"
#include "sweep.h"
#include "sweep_file.h"
#include "choose.h"
#include "front.h"
#include "advice.h"
#include "sensitivity.h"
#include "stability.h"
#include "doctor.h"
#include "layout.h"
#include "scenario.h"
#include "simulate.h"

#endif
