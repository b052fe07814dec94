/* The interface description, as it was when this program was built. */

#include "api/handlers/openapi.h"
#include "api/http/exchange.h"

enum { OPENAPI_AGE_S = 300 };

void openapi_show(struct exchange *exchange)
{
	exchange_set_etag(exchange, openapi_json_hash);
	exchange_set_public(exchange, OPENAPI_AGE_S);
	exchange_reply_bytes(exchange, 200, "application/json; charset=utf-8",
			     (struct slice){ openapi_json, openapi_json_length });
}
