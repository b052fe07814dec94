#pragma once
/* From the configuration to what the server of a web process is told about its clients. */

#include "api/http/server.h"
#include "daemon/app/config.h"

/* The networks of a list that the configuration has checked; memory of the arena. */
int front_read_ranges(struct arena *arena, const struct config_texts *texts,
		      struct client_ranges *ret_ranges);
int front_copy_texts(struct arena *arena, const struct config_texts *texts,
		     struct config_texts *ret_texts);
