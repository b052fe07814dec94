#pragma once
/* sd_notify(3) without its library: what a service manager is told. */

void notify_send(const char *state);
