#pragma once
/* The limits of the procedure: their names and which way is tighter. Figures are policy data. */

#include "daemon/base/error.h"

enum policy_direction { POLICY_SHORTER, POLICY_LONGER, POLICY_FIXED };

/* clang-format off */
/* name, direction; all of them durations. */
#define POLICY_DURATIONS(X)                                                                        \
	X(acknowledge, SHORTER) X(acknowledge_emergency, SHORTER) X(claim, SHORTER)                \
	X(accept, SHORTER) X(accept_by_vote, SHORTER) X(decline, SHORTER) X(hand_back, SHORTER)    \
	X(resume, LONGER) X(object_informal, LONGER) X(object_notice, LONGER) X(hearing, LONGER)   \
	X(hearing_extension, LONGER) X(propose, SHORTER) X(propose_severe, SHORTER)                \
	X(decide_single, SHORTER) X(decide_panel, SHORTER) X(extend_decision, SHORTER)             \
	X(appeal_window, LONGER) X(appeal_window_global, LONGER) X(appeal_window_office, LONGER)   \
	X(accept_appeal, SHORTER) X(decide_appeal, SHORTER) X(join_appeal, LONGER)                 \
	X(panel_named, LONGER) X(notice_postponed, SHORTER) X(notice_unserved, LONGER)             \
	X(info_wait, SHORTER) X(info_wait_total, SHORTER) X(answer_transfer, SHORTER)              \
	X(mediate, SHORTER) X(answer_petition, SHORTER) X(rule_on_conflict, SHORTER)               \
	X(injunction_single, SHORTER) X(injunction_panel, SHORTER) X(status_update, SHORTER)       \
	X(containment, SHORTER) X(containment_critical, SHORTER) X(retaliation_check, SHORTER)     \
	X(retention_words, SHORTER) X(retention_skeleton, SHORTER)                                 \
	X(retention_emergency, SHORTER) X(hold, SHORTER) X(confirm_identity, SHORTER)              \
	X(tell_identity, SHORTER) X(one_time_word, LONGER) X(erasure_answer, SHORTER)              \
	X(erasure_told, LONGER)

/* name, direction, least, most; plain numbers. */
#define POLICY_NUMBERS(X)                                                                          \
	X(statistics_k, LONGER, 5, 1000) X(panel_size_local, LONGER, 3, 99)                        \
	X(panel_size_global, LONGER, 5, 99) X(exclude_share_percent, FIXED, 1, 100)
/* clang-format on */

#define POLICY_COUNT_DURATION(name, direction) +1
#define POLICY_COUNT_NUMBER(name, direction, least, most) +1
enum {
	POLICY_N_DURATIONS = 0 POLICY_DURATIONS(POLICY_COUNT_DURATION),
	POLICY_N_LIMITS = POLICY_N_DURATIONS POLICY_NUMBERS(POLICY_COUNT_NUMBER),
};

struct policy_limit {
	const char *name;
	enum policy_direction direction;
	bool is_duration;
};

extern const struct policy_limit policy_limits[POLICY_N_LIMITS];

int policy_limit_find(const char *name); /* index or -1 */
/* 24h, 14d, 90s: the unit that people use for it, always exact. */
void policy_duration_print(int64_t seconds, char ret_text[32]);
