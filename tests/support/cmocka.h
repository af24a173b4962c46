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
#endif
