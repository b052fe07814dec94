#pragma once
/* /v1/receipt… : a case as one of its parties sees it, and what that party may do. */

struct exchange;

void receipt_show(struct exchange *exchange);
void receipt_list_messages(struct exchange *exchange);
void receipt_list_attachments(struct exchange *exchange);
void receipt_post_message(struct exchange *exchange);
void receipt_act(struct exchange *exchange);
void receipt_appeal(struct exchange *exchange);
void receipt_ask_erasure(struct exchange *exchange);
