#pragma once
/* A vault in a test: it holds an intake key, keeps what it is asked, and answers when told. */

#include "daemon/cases/seal.h"

/* Makes keys, and a sealer for them. */
void fake_vault_start(struct sealer *sealer);
/* What vault_open() returns from here on; 0: it asks. */
void fake_vault_break(int result);
/* The request that waits, or NULL. */
struct vault_call *fake_vault_call(void);
size_t fake_vault_count(void); /* requests since the start */
/* Opens what is asked, or answers with another outcome. */
void fake_vault_answer(enum vault_outcome outcome);
