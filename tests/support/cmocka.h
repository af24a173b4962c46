/* SPDX-License-Identifier: MIT */
/* cmocka with what it needs. Its fail() would take the name of ours, and of the plugins' service: here it is test_fail(). */
#ifndef SUPPORT_CMOCKA_H
#define SUPPORT_CMOCKA_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail
#define test_fail() _fail(__FILE__, __LINE__)

/* What counts descriptors, sets limits of memory, or looks at how the kernel starts a file: valgrind does that by itself. */
#ifdef UNDER_VALGRIND
#define skip_under_valgrind() skip()
#define SLOWNESS 20 /* times that a limit against hanging is longer there */
#else
#define SLOWNESS 1
#define skip_under_valgrind() (void)0
#endif
#endif
