#pragma once
/* A vault for the service of this test, in a thread of its own, where nothing fails. */

#include "daemon/app/config.h"
#include "daemon/ipc/channel.h"

struct vault_thread;

/* Reads the key files, and serves `fd`, which is taken, until its other end is closed; a vault that
 * cannot closes its own. NULL: there is no thread. */
struct vault_thread *vault_thread_new(const struct config *config, int fd);
/* The other end is closed: waits for the end. */
struct vault_thread *vault_thread_free(struct vault_thread *vault);
