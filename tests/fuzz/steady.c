/* Beside libFuzzer memory does not run out. */

#include "tests/fuzz/fuzz.h"

bool fuzz_has_fault(void)
{
	return false;
}
