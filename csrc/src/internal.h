/*
 * internal.h - how functions of the core are declared that only the core calls.
 */
#ifndef HAWSER_INTERNAL_H
#define HAWSER_INTERNAL_H

/* In ../hawser.c the whole core is one file: then these are static, and the compiler knows all who call them. */
#ifndef HAWSER_INTERNAL
#define HAWSER_INTERNAL
#endif

/* For a function whose locals must not lie on the stack below a cipher: inlined into its caller they would. */
#if defined(__GNUC__)
#define HAWSER_APART __attribute__((noinline))
#else
#define HAWSER_APART
#endif

#endif
