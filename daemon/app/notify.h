#pragma once
/* What a service manager is told: sd_notify(3) without its library, and the pid file. */

void notify_send(const char *state);
int notify_write_pid(const char *file);
