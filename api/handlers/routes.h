#pragma once
/* The one route table of the API. */

#include "api/http/router.h"

extern const struct route routes[];
extern const size_t routes_n;
