/* The limits of the procedure by name, in one order for arrays of them. */

#include "policy/procedure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROW_DURATION(name, direction) { #name, POLICY_##direction, true },
#define ROW_NUMBER(name, direction, least, most) { #name, POLICY_##direction, false },

const struct policy_limit policy_limits[POLICY_N_LIMITS] = { POLICY_DURATIONS(ROW_DURATION)
								     POLICY_NUMBERS(ROW_NUMBER) };

int policy_limit_find(const char *name)
{
	for (int i = 0; i < POLICY_N_LIMITS; i++)
		if (strcmp(policy_limits[i].name, name) == 0)
			return i;
	return -1;
}

void policy_duration_print(int64_t seconds, char ret_text[32])
{
	static const struct {
		int64_t seconds;
		const char *unit;
		int64_t least; /* 72h reads better than 3d, 60min than 1h */
	} units[] = { { 86400, "d", 7 }, { 3600, "h", 2 }, { 60, "min", 2 }, { 1, "s", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds % units[i].seconds != 0 || seconds / units[i].seconds < units[i].least)
			continue;
		snprintf(ret_text, 32, "%" PRId64 "%s", seconds / units[i].seconds, units[i].unit);
		return;
	}
}
