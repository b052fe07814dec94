#pragma once
/* The audit log: heads and proofs for everybody, entries for auditors. */

#include "api/http/exchange.h"

void audit_show_checkpoint(struct exchange *exchange);
void audit_show_proof(struct exchange *exchange);
void audit_show_consistency(struct exchange *exchange);
void audit_list_log(struct exchange *exchange);
