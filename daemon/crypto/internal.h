#pragma once
/* What the files of this folder share. */

#include "daemon/crypto/crypto.h"

#include <openssl/evp.h>

int crypto_failed(void);
int crypto_failed_as(int library, int outcome);
