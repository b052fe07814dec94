#pragma once
/*
 * An upgrade without downtime: the daemon starts the program that now lies where its own was, hands
 * it the listening sockets, and ends when the new one serves.
 */

#include <sys/types.h>

#include "daemon/app/listeners.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/tls.h"

struct event;
struct event_base;

struct upgrade {
	char *program;
	char **arguments;
	/* In the daemon that is replaced. */
	pid_t pid; /* of the new one; 0: there is none */
	int fd;    /* to it */
	struct event *event;
	void (*done)(void *userdata, bool is_taken_over);
	void *userdata;
	/* In the daemon that replaces another, until it has said that it serves; else -1. */
	int old_fd;
	int budgets_fd; /* what that one's counts are in; -1: there is none, or it was taken */
};

/* What the new daemon is given. */
struct upgrade_load {
	const struct listener *const *listeners;
	size_t n_listeners;
	const struct tls_tickets *tickets;
	int budgets_fd;
};

int upgrade_init(struct upgrade *upgrade, char *const *arguments, struct tls_tickets *tickets);
void upgrade_deinit(struct upgrade *upgrade);
bool upgrade_is_new(const struct upgrade *upgrade);
void upgrade_announce(struct upgrade *upgrade);
int upgrade_start(struct upgrade *upgrade, struct event_base *base,
		  const struct upgrade_load *load);
void upgrade_cancel(struct upgrade *upgrade);
void upgrade_signal(const struct upgrade *upgrade, int number);
void upgrade_note_end(struct upgrade *upgrade, pid_t pid);
