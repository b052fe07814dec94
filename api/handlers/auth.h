#pragma once
/* Handlers of signing in and out. */

struct exchange;

void auth_start(struct exchange *exchange);
void auth_callback(struct exchange *exchange);
void auth_redeem(struct exchange *exchange);
void auth_logout(struct exchange *exchange);
