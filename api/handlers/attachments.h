#pragma once
/* Files of a case: by the parties who bring them, and by those who handle it. */

#include "api/http/exchange.h"

void attachments_bring(struct exchange *exchange);
void attachments_add(struct exchange *exchange);
void attachments_list(struct exchange *exchange);
void attachments_show(struct exchange *exchange);
