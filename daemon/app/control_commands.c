/* The commands of conductctl, in the order of --help. */

#include "daemon/app/control.h"

const struct control_command control_commands[] = {
	{ "migrate", NULL, "[--bootstrap]", "bring the database to this program's schema",
	  "Applies the migrations that the database does not have, each in a transaction of its\n"
	  "own, then rows and functions that changed. Safe to run again and at the same time.\n"
	  "--bootstrap  first make the database roles, and let new triggers fire always at the\n"
	  "             end; needs a superuser's --database. Set the roles' passwords yourself.\n",
	  control_migrate },
	{ "keys", "init", "[--host NAME] [--new-index-key]",
	  "make the key files that this host lacks",
	  "Makes index_key_file, the vault's passphrase and key file, and the public half, and\n"
	  "makes intake and index key known to the database; keeps what is there. With a new key\n"
	  "file it prints five escrow shares. On a further host copy index_key_file,\n"
	  "vault.key_file and the passphrase there first: it gets a log-signing key of its own,\n"
	  "under NAME or the host's name.\n"
	  "--new-index-key  the index key is lost for good: begin with another, under which\n"
	  "                 nobody is recognised who was known\n",
	  control_keys_init },
	{ "keys", "status", "", "say whether the key files are in order, and how far a rotation is",
	  "Checks that they are there, private, open with the passphrase, and are those of the\n"
	  "database; prints each intake key's state, how many keys of units are sealed to it, and\n"
	  "which keys the hosts have.\n",
	  control_keys_status },
	{ "keys", "recover", "", "open the vault's key file with three escrow shares",
	  "Reads shares from standard input, one a line, and seals the key file anew under the\n"
	  "present passphrase, which is made where there is none.\n",
	  control_keys_recover },
	{ "keys", "rotate", "[--log]", "make another intake key, which waits for its activation",
	  "Adds the key to the vault's key file. The daemons of all hosts need it before it is\n"
	  "activated: see `keys import`. What is interrupted is finished by the next run.\n"
	  "--log  instead: another key of this host for signing the log\n",
	  control_keys_rotate },
	{ "keys", "import", "FILE [--passphrase FILE]", "take the intake keys of another host",
	  "FILE is a copy of that host's key file, sealed under the present passphrase or the one\n"
	  "of --passphrase. This host keeps its own key for signing the log.\n",
	  control_keys_import },
	{ "keys", "activate", "[--without HOST]", "let new words be sealed to the new intake key",
	  "Refused until the vaults of all hosts have the key; --without forgets a host that is\n"
	  "gone for good. On every further host it brings vault.public_file up to date.\n",
	  control_keys_activate },
	{ "keys", "destroy", "KEY", "destroy the private half of a retired intake key",
	  "Refused while anything is sealed to the key, or a host seals to it. Run it on every\n"
	  "host. Backups of the database from before the rotation cannot be read afterwards.\n",
	  control_keys_destroy },
	{ "keys", "escrow", "", "print new escrow shares; the old ones open older files alone",
	  "Seals the key file under another master key, and prints its five shares.\n",
	  control_keys_escrow },
	{ "policy", "check", "[DIRECTORY...]", "say whether a policy set is in order",
	  "Reads the directories, or policy_path; prints each fault as FILE:LINE:COLUMN: text.\n",
	  control_policy_check },
	{ "policy", "diff", "[FROM [TO]]", "what changes from one set to another",
	  "FROM and TO are directories or files of a published set's canonical JSON. Without TO:\n"
	  "policy_path; without FROM: the set that is published.\n",
	  control_policy_diff },
	{ "policy", "publish", "", "publish the set of policy_path",
	  "The worker does the same on start and on reload. A set must have a higher revision\n"
	  "than the one in force.\n",
	  control_policy_publish },
	{ "policy", "show", "[--wiki W] [--lang L] [--rule R] [--published]",
	  "what is in force for a wiki",
	  "Of policy_path, or with --published of the database's set. Without --wiki: the base.\n",
	  control_policy_show },
	{ "wikis", "import", "FILE", "a registry file from a wiki farm's site matrix",
	  "FILE is what api.php?action=sitematrix&format=json answers. Prints YAML for\n"
	  "policy/data/registry/.\n",
	  control_wikis_import },
	{ "route", NULL, "--wiki W --category C [--severity S] [--about-functionary]",
	  "which body gets a report first",
	  "By the published set and the grants there are. Without --severity: the category's.\n",
	  control_route },
	{ "grant", NULL, "--person NAME --role ROLE --until TIME [--body BODY] [--from TIME]",
	  "give a person a role in a body",
	  "NAME is a user name; the person must have been seen once, by logging in or in the\n"
	  "demo people file. Times are RFC 3339; --from is now by default.\n",
	  control_grant },
	{ "audit", "export", "--out FILE", "write the audit log and what it speaks of to a file",
	  "The bundle holds pseudonyms, hashes and ciphertexts; the file is made, mode 0600.\n",
	  control_audit_export },
	{ "audit", "verify", "FILE [--key KEY...]", "check a bundle, without any database",
	  "Hashes every entry again and checks that the log passes through each checkpoint, that\n"
	  "rows, words and histories are what was logged, and that the database is built as this\n"
	  "program ships it. Without --key, checkpoints are those of this host's log key; name\n"
	  "the keys of all hosts that have signed. Ends with 1 where anything is wrong.\n",
	  control_audit_verify },
	{ "audit", "adopt", "", "let this host follow a log that has begun",
	  "Takes the newest checkpoint as this host's head. Verify the log first.\n",
	  control_audit_adopt },
	{ "audit", "key", "", "print this host's log key for audit verify",
	  "NAME+ID+KEY, as programs for signed notes take it.\n", control_audit_key },
	{ "erase", "replay", "FILE", "erase again what a restored backup has again",
	  "FILE is a bundle of audit export, newer than the backup, and verified. Whatever the\n"
	  "log says was erased is erased once more. It may be run again.\n",
	  control_erase_replay },
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
