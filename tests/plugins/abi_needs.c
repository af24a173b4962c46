/* SPDX-License-Identifier: MIT */
/* As abi_grown, but it says that it needs the later minor: today's host refuses it. */
#define NAME "abi_needs"
#define NEEDS (GLANE_ABI_MINOR + 1)
#include "abi_grown.c"
