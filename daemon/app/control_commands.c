/* The commands of conductctl, in the order of --help. */

#include "daemon/app/control.h"

const struct control_command control_commands[] = {
	{ "migrate", NULL, "[--bootstrap]", "bring the database to this program's schema",
	  "Applies the migrations that the database does not have, each in a transaction of its\n"
	  "own, then rows and functions that changed. Safe to run again and at the same time.\n"
	  "--bootstrap  first make the database roles, and let new triggers fire always at the\n"
	  "             end; needs a superuser's --database. Set the roles' passwords yourself.\n",
	  control_migrate },
	{ "keys", "init", "", "make the index key file",
	  "Writes 32 random bytes as hex to index_key_file, mode 0600. An existing file is kept.\n"
	  "Copy the same file to every host; without it no account is recognised any more.\n",
	  control_keys_init },
	{ "keys", "status", "", "say whether the key files are in order",
	  "Checks that index_key_file is there, well-formed and readable by its owner alone.\n",
	  control_keys_status },
	{ "demo", "clock", "+DURATION", "move the clock of a demo forward",
	  "Adds 30s, 15min, 24h or 14d to the time that the database works with. Refused unless\n"
	  "the configuration's only issuer is a demo issuer.\n",
	  control_demo_clock },
	{ "demo", "people", "DIR [PORT]", "make the demo issuer's key and new tokens",
	  "Writes DIR/people.json (mode 0600) with a token of 12 hours for each demo person, and\n"
	  "what the daemon needs of them. The issuer's key in DIR is made once.\n",
	  control_demo_people },
	{ "demo", "grants", "", "give the demo people their roles",
	  "Needs the policy that names their bodies to be published.\n", control_demo_grants },
	{ "demo", NULL, "", "walk one case against the running demo daemon",
	  "From report to decided appeal over REST, as the demo people; moves the demo clock.\n"
	  "Without -c, and where none is installed, it works on build/quickstart.\n",
	  control_demo_walk },
};

const size_t control_n_commands = ARRAY_SIZE(control_commands);
