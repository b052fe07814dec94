#pragma once
/* How fast the sequencer goes while people wait for the same machine. */

enum {
	PACE_AGE_MS = 4000,   /* what is pending for so long is worked off without giving way */
	PACE_WAY = 4,         /* times as long as a piece took, what has just come in may wait */
	PACE_PAUSE_MS = 5,    /* at least */
	PACE_PAUSE_MAX = 250, /* ms */
	PACE_PIECE = 100,     /* entries at once while giving way */
	PACE_PIECE_MAX = 500, /* entries at once without */
};

unsigned pace_pause_ms(unsigned took_ms, unsigned age_ms);
unsigned pace_piece(unsigned age_ms);
