/* gradtrace.h - record the gradients of a training run once, ask every clipping question offline.
 *
 * This is the only header that programs include.  Each part below is a manual of its own:
 *
 *   base/err.h           how every call reports failure
 *   base/device.h        CPU or GPU
 *   trace/trace.h        a recorded run: read it, write it
 *   trace/segment_recover.h  is a trace whole, and what can be kept of one that is not
 *   trace/merge.h        segments and ranks into one trace
 *   trace/sample.h       which blocks of a tensor a sample of elements keeps
 *   trace/groups.h       which tensors are clipped together
 *   trace/series.h       a trace as one series of norms per group
 *   trace/import.h       logs that people already have, as traces
 *   trace/export.h       a trace's norms as text
 *   policy/catalogue.h   the policies, their parameters, the presets
 *   policy/setting.h     "aggc:beta=0.9,raise=on" as an object
 *   record/recorder.h    record from inside a training loop (C, C++, CUDA hosts)
 *   record/sumsq_cuda.h  norms of gradients that lie on a GPU
 *   replay/replay.h      what a setting would have done with a trace
 *   replay/optimizer.h   the optimizers that can be simulated
 *   replay/update.h      what of a policy reaches the optimizer, from captured elements
 *   study/scaling.h      statistics of what it did
 *   study/result_file.h  a result on its way into an HDF5 file
 *   study/replay_file.h  decisions and statistics as one
 *   study/proxy.h        the same, guessed from norms
 *   study/update_values.h  norms, changes and directions of updates
 *   study/update_file.h  updates as one
 *   study/baseline.h     what a group's norm is expected to be
 *   study/objectives.h   numbers by which settings are compared
 *   study/plan.h         which settings a sweep tries
 *   study/sweep.h        objectives of many settings over one trace
 *   study/sweep_file.h   what a sweep found, as a file
 *   study/goals.h        limits and goals, as a user writes them
 *   study/front.h        the settings that no other beats, and the knee
 *   study/advice.h       a recommendation with its reasons
 *   study/sensitivity.h  which knob matters
 *   study/compare.h      do two runs differ, or is it noise
 *   study/stability.h    are the best settings best elsewhere too
 *   study/blame.h        who caused a step's attenuation, and how much of it
 *   study/spill.h        what a global limit takes from those who did nothing
 *   study/spill_file.h   the same as an HDF5 file
 *   study/doctor.h       what is wrong with a run or a setting
 *   study/layout.h       tensors of well-known models
 *   study/scenario.h     what may happen in a synthetic run
 *   study/simulate.h     synthetic traces of which the truth is known
 *
 * The library never prints, never exits, and reads neither arguments nor the environment.
 * Ownership follows the verbs: _new/_free and _open/_close pair up, _find and _name return static
 * data, _read and _write move whole objects; every _free takes NULL.
 *
 * Same trace, same settings, same release: same bits, on any x86-64 build of this library.
 */
#ifndef GRADTRACE_H
#define GRADTRACE_H

#include "err.h"
#include "text.h"
#include "alloc.h"
#include "device.h"
#include "outfile.h"
#include "catalogue.h"
#include "setting.h"
#include "trace.h"
#include "segment_recover.h"
#include "merge.h"
#include "groups.h"
#include "series.h"
#include "import.h"
#include "export.h"
#include "recorder.h"
#include "sumsq_cuda.h"
#include "replay.h"
#include "optimizer.h"
#include "update.h"
#include "scaling.h"
#include "result_file.h"
#include "replay_file.h"
#include "proxy.h"
#include "update_values.h"
#include "update_file.h"
#include "baseline.h"
#include "objectives.h"
#include "plan.h"
#include "sweep.h"
#include "sweep_file.h"
#include "goals.h"
#include "front.h"
#include "advice.h"
#include "sensitivity.h"
#include "compare.h"
#include "stability.h"
#include "blame.h"
#include "spill.h"
#include "spill_file.h"
#include "doctor.h"
#include "layout.h"
#include "scenario.h"
#include "simulate.h"

#endif
