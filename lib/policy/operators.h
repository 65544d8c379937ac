/* operators.h - the operators in which steps of policies are written, for one lane of doubles.
 *
 * The second half of a policy header is its step, in these words only.  It is compiled with the
 * meanings below for CPUs and GPUs, which is the definition, and with those of lib/sweep/wide*.h
 * for vectors of settings; so a policy is written once and has no branches where lanes differ.
 *
 *   STEP(stem)        head of the step.  Its arguments: parameters, state, *obs, and usual, a
 *                     constant: 1 if for all lanes what gtr_STEM_is_usual asks holds
 *   P(f), GET(f), PUT(f, x)  a parameter; a field of the state, read, written; #define STEM first
 *   REAL, MASK        numbers, and what comparisons give
 *   NUM(x)            a constant
 *   ABOVE(a, b)       a > b, as NOT_BELOW >=, EQUAL ==, DIFFER a < b or b < a: false with NaN
 *   BOTH, EITHER, NOT_SECOND (a and not b)   join two masks; so does PICK_MASK, and ALWAYS is one
 *   PICK(m, a, b)     a where m, else b; both are computed
 *   MAX, MIN          a > b ? a : b, a < b ? a : b: b if one is NaN
 *   ROOT(x), F32(x)   square root; x rounded to fp32
 *   ANY(m)            holds m in any lane?  Only to save work: nothing may depend on it
 *   HELPER, TEXT(name)  head of a function that steps share, and its name
 *   ACTION, OBS, LEAVE  structs gtr_action and gtr_obs, and gtr_leave()
 *
 * Included by policy.h, which includes operators_end.h afterwards.
 */
#define REAL               double
#define MASK               uint32_t
#define NUM(x)             (x)
#define ABOVE(a, b)        ((MASK)((a) > (b)))
#define NOT_BELOW(a, b)    ((MASK)((a) >= (b)))
#define EQUAL(a, b)        ((MASK)((a) == (b)))
#define DIFFER(a, b)       ((MASK)((a) < (b) || (b) < (a)))
#define BOTH(a, b)         ((a) & (b))
#define EITHER(a, b)       ((a) | (b))
#define NOT_SECOND(a, b)   ((a) & ((b) ^ 1u))
#define ALWAYS             ((MASK)1)
#define PICK_MASK(m, a, b) EITHER(BOTH(m, a), NOT_SECOND(b, m))
#define PICK(m, a, b)      ((m) ? (a) : (b))
#define MAX(a, b)          ((a) > (b) ? (a) : (b))
#define MIN(a, b)          ((a) < (b) ? (a) : (b))
#define ROOT(x)            sqrt(x)
#define F32(x)             ((double)(float)(x))
#define ANY(m)             (m)
#define HELPER             GTR_HD
#define TEXT(name)         gtr_##name
#define ACTION             struct gtr_action
#define OBS                struct gtr_obs
#define LEAVE              gtr_leave()

#define STEP(stem)                                                   \
    GTR_HD struct gtr_action gtr_##stem##_step(                      \
        __attribute__((unused)) const struct gtr_##stem##_params *p, \
        __attribute__((unused)) struct gtr_##stem##_state *s,        \
        __attribute__((unused)) const struct gtr_obs *obs, __attribute__((unused)) int usual)
#define AHEAD(stem) \
    GTR_HD void gtr_##stem##_ahead(const struct gtr_##stem##_params *p, struct gtr_obs *obs)
#define P(field)      (p->field)
#define GET(field)    (s->field)
#define PUT(field, x) (s->field = (x))
