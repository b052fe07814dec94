/*
 * Numbering what is pending takes the processor from those who write it. While it is young the
 * sequencer takes small pieces and pauses after each, in proportion to what that took: the busier
 * the machine, the longer. The older the oldest entry, the shorter the pauses; from PACE_AGE_MS on
 * there is nothing but the least one, so that a load that lasts does not starve the log.
 */

#include "daemon/worker/pace.h"

/* took_ms: the piece before; age_ms: of the oldest entry in it, when it got its number. */
unsigned pace_pause_ms(unsigned took_ms, unsigned age_ms)
{
	unsigned long long pause_ms;

	if (age_ms >= PACE_AGE_MS)
		return PACE_PAUSE_MS;
	pause_ms = (unsigned long long)took_ms * PACE_WAY * (PACE_AGE_MS - age_ms) / PACE_AGE_MS;
	if (pause_ms > PACE_PAUSE_MAX)
		return PACE_PAUSE_MAX;
	return pause_ms < PACE_PAUSE_MS ? PACE_PAUSE_MS : (unsigned)pause_ms;
}

/* age_ms: of the oldest entry of the piece before. */
unsigned pace_piece(unsigned age_ms)
{
	return age_ms >= PACE_AGE_MS ? PACE_PIECE_MAX : PACE_PIECE;
}
