#pragma once
/* Files that the configuration names and that are secrets, and `conductd -n`. */

#include "daemon/app/config.h"

enum { FILES_E_REFUSED = 1 /* has been logged */ };

int files_check_secrets(const struct config *config);
int files_check_all(const char *file);
