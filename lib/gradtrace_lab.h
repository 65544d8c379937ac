/* gradtrace_lab.h - studies of recorded runs, and what else the program gradtrace is made of.
 *
 * What stands here may change from release to release: calls, structs and their sizes.  Compile
 * against the release that you link.  What stays is in gradtrace.h.
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
#include "proxy.h"
#include "baseline.h"
#include "objectives.h"
#include "student.h"
#include "compare.h"
#include "blame.h"
#include "calm.h"
#include "spill.h"
#include "trust.h"
#include "result_file.h"
#include "plan.h"
#include "sweep.h"
#include "sweep_file.h"
#include "goals.h"
#include "advice.h"
#include "bootstrap.h"
#include "sensitivity.h"
#include "stability.h"
#include "doctor.h"
#include "layout.h"
#include "scenario.h"
#include "simulate.h"

#endif
