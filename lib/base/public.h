/* public.h - marks what the shared library exports, and what C++ must call as C.
 *
 * What stands between the two marks is in gradtrace.h or gradtrace_lab.h as they are installed (see
 * public_header.sh).  All else is for the library alone and hidden (-fvisibility=hidden), so that a
 * program's own names never meet ours.
 */
#ifndef GTR_PUBLIC_H
#define GTR_PUBLIC_H

#ifdef __cplusplus
#define GTR_PUBLIC_BEGIN                               \
    _Pragma("GCC visibility push(default)") extern "C" \
    {
#define GTR_PUBLIC_END \
    }                  \
    _Pragma("GCC visibility pop")
#else
#define GTR_PUBLIC_BEGIN _Pragma("GCC visibility push(default)")
#define GTR_PUBLIC_END   _Pragma("GCC visibility pop")
#endif

#endif
