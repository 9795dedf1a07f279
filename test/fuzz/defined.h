/*
 * defined.h - asks valgrind or MemorySanitizer whether bytes are initialised, and tells them which are secret. Without
 * either tool these do nothing.
 */
#ifndef HAWSER_TEST_DEFINED_H
#define HAWSER_TEST_DEFINED_H

#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define HAWSER_TEST_MSAN 1
#endif
#endif

#if HAWSER_TEST_MSAN
#include <sanitizer/msan_interface.h>
#define DEFINED_CHECK(ptr, len) __msan_check_mem_is_initialized((ptr), (len))
#define DEFINED_SECRET(ptr, len) ((void)(ptr), (void)(len))
#define DEFINED_PUBLIC(ptr, len) ((void)(ptr), (void)(len))
#define DEFINED_UNKNOWN(ptr, len) __msan_allocated_memory((ptr), (len))
#elif HAWSER_TEST_VALGRIND
#include <valgrind/memcheck.h>
#define DEFINED_CHECK(ptr, len) (void)VALGRIND_CHECK_MEM_IS_DEFINED((ptr), (len))
#if HAWSER_TEST_SECRETS
#define DEFINED_SECRET(ptr, len) (void)VALGRIND_MAKE_MEM_UNDEFINED((ptr), (len))
#else
#define DEFINED_SECRET(ptr, len) ((void)(ptr), (void)(len))
#endif
#define DEFINED_PUBLIC(ptr, len) (void)VALGRIND_MAKE_MEM_DEFINED((ptr), (len))
#define DEFINED_UNKNOWN(ptr, len) (void)VALGRIND_MAKE_MEM_UNDEFINED((ptr), (len))
#else
#define DEFINED_CHECK(ptr, len) ((void)(ptr), (void)(len))
#define DEFINED_SECRET(ptr, len) ((void)(ptr), (void)(len))
#define DEFINED_PUBLIC(ptr, len) ((void)(ptr), (void)(len))
#define DEFINED_UNKNOWN(ptr, len) ((void)(ptr), (void)(len))
#endif

#endif
