/* SPDX-License-Identifier: MIT */
/* The only target of this program, as libFuzzer calls it. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_targets->run((struct slice){(const char *)data, n});
	return 0;
}
