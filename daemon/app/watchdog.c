/*
 * The watchdog: four times in the service manager's interval the parent asks every process whether
 * it is there, and reports only when all have answered the time before. One that is silent twice is
 * killed, so that it alone starts again; only what does not help brings the whole service down.
 */

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/notify.h"
#include "daemon/app/parent.h"
#include "daemon/base/log.h"

enum { TICKS = 4, MISSED_MAX = 2, PING_DEADLINE_MS = 3600 * 1000 };

static void on_answer(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct watched *watched = (struct watched *)(void *)((char *)request -
							     offsetof(struct watched, ping));

	watched->is_asked = false;
	watched->n_missed = 0;
}

/* Returns whether it is not known to be silent. */
static bool process_ask(struct process *process)
{
	struct watched *watched = &process->watched;

	if (!process->pid || !process->channel)
		return true;
	if (watched->is_asked) {
		if (++watched->n_missed < MISSED_MAX)
			return false;
		process_log(LOG_LEVEL_ERROR, "a process does not answer and is killed", process,
			    -1);
		(void)kill(process->pid, SIGKILL);
		return false;
	}
	watched->ping = (struct ipc_request){ .done = on_answer };
	watched->is_asked = ipc_channel_request(process->channel, &watched->ping, IPC_TYPE_PING,
						(struct slice){ 0 }, PING_DEADLINE_MS) == 0;
	return watched->is_asked;
}

static void on_tick(int fd, short what, void *userdata)
{
	struct parent *parent = userdata;
	bool is_well = true;

	for (size_t i = 0; i < parent->n_processes; i++)
		is_well = process_ask(&parent->processes[i]) && is_well;
	if (is_well)
		notify_send("WATCHDOG=1");
}

/* The interval in microseconds; 0: there is no watchdog, or it is not ours. */
static unsigned long interval_read(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end = NULL;
	unsigned long usec;

	if (!text || *text < '0' || *text > '9' || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	usec = strtoul(text, &end, 10);
	return *end || errno ? 0 : usec;
}

/* Nothing without a watchdog. Returns 0 or -ENOMEM. */
int watchdog_init(struct watchdog *watchdog, struct parent *parent)
{
	unsigned long usec = interval_read() / TICKS;
	const struct timeval interval = { .tv_sec = (time_t)(usec / 1000000),
					  .tv_usec = (suseconds_t)(usec % 1000000) };

	if (usec == 0)
		return 0;
	watchdog->timer = event_new(parent->base, -1, EV_PERSIST, on_tick, parent);
	return watchdog->timer && event_add(watchdog->timer, &interval) == 0 ? 0 : -ENOMEM;
}

void watchdog_deinit(struct watchdog *watchdog)
{
	if (watchdog->timer)
		event_free(watchdog->timer);
	watchdog->timer = NULL;
}
