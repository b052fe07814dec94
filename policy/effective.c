/*
 * The effective JSON: what the database decides by. Rules, categories, limits, sanctions and routes
 * stand once for each distinct profile; a wiki names its profile. Durations are whole seconds.
 */

#include "policy/model.h"

#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

/* Builders own what they are given also when they fail, so a chain of them may run to its end. */
static void put(int *r, int result)
{
	if (*r == 0)
		*r = result;
}

static struct value *finish(int r, struct value *value)
{
	return r == 0 ? value : value_free(value);
}

static struct value *text_array(const struct policy_list *list)
{
	struct value *array = value_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < list->n_items && r == 0; i++)
		r = value_append_take(array, value_new_string(list->items[i]));
	return finish(r, array);
}

static void put_duration(int *r, struct value *object, const char *key, int64_t seconds)
{
	put(r, value_set_take(object, key,
			      seconds == POLICY_UNLIMITED ? value_new_null()
							  : value_new_integer(seconds)));
}

static struct value *rule_value(const struct policy_view_rule *item)
{
	struct value *rule = value_new_object();
	int r = rule ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_string(rule, "id", item->rule->id));
	put(&r, value_set_string(rule, "section", item->rule->section));
	put(&r, value_set_string(rule, "kind",
				 item->rule->is_unacceptable ? "unacceptable" : "expected"));
	put(&r,
	    value_set_string(rule, "severity_floor",
			     item->severity ? policy_severity_words[item->severity - 1] : NULL));
	put(&r, value_set_string(rule, "privacy_floor", policy_privacy_words[item->privacy]));
	put(&r, value_set_string(rule, "route", policy_route_words[item->route]));
	put(&r, value_set_boolean(rule, "mediation", item->has_mediation));
	return finish(r, rule);
}

static struct value *rules_value(const struct policy_view *view)
{
	struct value *array = value_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < view->rules.n_items && r == 0; i++) {
		const struct policy_view_rule *item = view->rules.items[i];

		if (!item->is_retired)
			r = value_append_take(array, rule_value(item));
	}
	return finish(r, array);
}

static struct value *categories_value(const struct policy_view *view)
{
	struct value *array = value_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < view->categories.n_items && r == 0; i++) {
		const struct policy_view_category *item = view->categories.items[i];
		struct value *category;

		if (item->is_retired || !item->is_offered)
			continue;
		category = value_new_object();
		if (!category)
			return value_free(array);
		put(&r, value_set_string(category, "id", item->category->id));
		put(&r, value_set_take(category, "rules", policy_category_rules(view, item)));
		put(&r, value_set_string(category, "harm_type", item->category->harm_type));
		put(&r, value_append_take(array, category));
	}
	return finish(r, array);
}

static struct value *sanctions_value(const struct policy_view *view)
{
	struct value *array = value_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < view->sanctions.n_items && r == 0; i++) {
		const struct policy_view_sanction *item = view->sanctions.items[i];
		struct value *sanction;

		if (item->is_retired)
			continue;
		sanction = value_new_object();
		if (!sanction)
			return value_free(array);
		put(&r, value_set_string(sanction, "id", item->sanction->id));
		put(&r, value_set_string(sanction, "kind", item->sanction->kind));
		put_duration(&r, sanction, "local_cap", item->local_cap);
		put_duration(&r, sanction, "max_duration", item->max_duration);
		put(&r, value_append_take(array, sanction));
	}
	return finish(r, array);
}

/* The rules of a category that are in force in the view. */
struct value *policy_category_rules(const struct policy_view *view,
				    const struct policy_view_category *category)
{
	struct value *array = value_new_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < category->rules.n_items && r == 0; i++) {
		const char *id = category->rules.items[i];

		if (policy_view_find_rule(view, policy_slice(id)))
			r = value_append_take(array, value_new_string(id));
	}
	return finish(r, array);
}

struct value *policy_procedure_value(const struct policy_view *view)
{
	struct value *object = value_new_object();
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < POLICY_N_LIMITS && r == 0; i++)
		r = value_set_integer(object, policy_limits[i].name, view->limits[i]);
	return finish(r, object);
}

static struct value *routes_value(const struct policy_view *view)
{
	struct value *object = value_new_object();
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; i < POLICY_N_ROUTES && r == 0; i++)
		r = value_set_string(object, policy_routes[i], view->routes[i]);
	return finish(r, object);
}

static struct value *profile_value(const struct policy_view *view)
{
	struct value *profile = value_new_object();
	int r = profile ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_take(profile, "rules", rules_value(view)));
	put(&r, value_set_take(profile, "categories", categories_value(view)));
	put(&r, value_set_take(profile, "procedure", policy_procedure_value(view)));
	put(&r, value_set_take(profile, "sanctions", sanctions_value(view)));
	put(&r, value_set_take(profile, "routes", routes_value(view)));
	return finish(r, profile);
}

/* Names the view's profile by the hash of its content. ret_value lacks the member "profile". */
static int profile_name(struct policy_set *set, struct policy_view *view, struct value **ret_value)
{
	struct buffer text CLEANUP(buffer_deinit) = BUFFER_NULL;
	struct value *profile CLEANUP(value_freep) = profile_value(view);
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char *name = arena_alloc(set->arena, POLICY_VERSION_LENGTH + 1);
	int r = profile && name ? value_write_canonical(profile, &text) : -ENOMEM;

	if (r == 0)
		r = buffer_finish(&text);
	if (r == 0)
		r = crypto_sha256((struct slice){ text.at, text.length }, hash);
	if (r < 0)
		return r;
	codec_hex_encode(name, hash, sizeof(hash));
	view->profile = name;
	*ret_value = profile;
	profile = NULL;
	return 0;
}

static int add_profile(struct policy_set *set, struct policy_view *view, struct value *profiles)
{
	struct value *profile CLEANUP(value_freep) = NULL;
	struct value *entry;
	int r;

	if (view->profile)
		return 0;
	r = profile_name(set, view, &profile);
	if (r < 0)
		return r;
	for (size_t i = 0; i < set->profiles.n_items; i++) {
		const struct policy_view *other = set->profiles.items[i];

		if (policy_slice_equals(policy_slice(other->profile), view->profile)) {
			view->profile = other->profile;
			return 0;
		}
	}
	entry = profile;
	profile = NULL;
	r = value_set_string(entry, "profile", view->profile);
	put(&r, value_append_take(profiles, entry));
	put(&r, policy_list_add(set->arena, &set->profiles, view));
	return r;
}

static int write_wikis(struct policy_set *set, struct value *wikis, struct value *profiles)
{
	int r = 0;

	for (size_t i = 0; i < set->wikis.n_items && r == 0; i++) {
		struct policy_registered *wiki = set->wikis.items[i];
		struct policy_list regions = { .items = (void **)(uintptr_t)wiki->wiki.regions };
		struct value *entry = value_new_object();

		while (wiki->wiki.regions[regions.n_items])
			regions.n_items++;
		put(&r, entry ? 0 : -ENOMEM);
		/* The set is being made: its views are still ours to change. */
		put(&r, add_profile(set, (struct policy_view *)(uintptr_t)wiki->view, profiles));
		wiki->wiki.profile = wiki->view->profile;
		put(&r, value_set_string(entry, "wiki", wiki->wiki.dbname));
		put(&r, value_set_string(entry, "profile", wiki->wiki.profile));
		put(&r, value_set_string(entry, "lang", wiki->wiki.lang));
		put(&r, value_set_string(entry, "status", wiki->wiki.status));
		put(&r, value_set_take(entry, "regions", text_array(&regions)));
		put(&r, value_set_string(entry, "group", wiki->wiki.group));
		put(&r, value_set_string(entry, "body", wiki->wiki.body));
		put(&r, value_set_string(entry, "appeal_body", wiki->wiki.appeal_body));
		put(&r, value_append_take(wikis, entry));
	}
	return r;
}

static struct value *vote_value(const struct policy_vote *vote)
{
	struct value *object = value_new_object();
	int r = object ? value_set_string(object, "rule", vote->rule) : -ENOMEM;

	if (r == 0 && vote->n > 0)
		r = value_set_integer(object, "n", vote->n);
	if (r == 0 && vote->voters > 0)
		r = value_set_integer(object, "voters", vote->voters);
	if (r == 0 && vote->or_majority)
		r = value_set_boolean(object, "or_majority", true);
	return finish(r, object);
}

static struct value *body_value(const struct policy_body *body)
{
	struct value *object = value_new_object();
	int r = object ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_string(object, "id", body->id));
	put(&r, value_set_string(object, "kind", body->kind));
	put(&r, value_set_string(object, "level", policy_level_words[body->level - 1]));
	put(&r, value_set_string(object, "jurisdiction", body->jurisdiction));
	put(&r, value_set_string(object, "role", body->role));
	put(&r, value_set_boolean(object, "high_level", body->is_high_level));
	put(&r, value_set_string(object, "decides", body->is_panel ? "panel" : "single"));
	put(&r, value_set_integer(object, "panel_size", body->panel_size));
	put(&r, value_set_take(object, "quorum", vote_value(&body->quorum)));
	put(&r, value_set_take(object, "accept", vote_value(&body->accept)));
	put(&r, value_set_take(object, "decide", vote_value(&body->decide)));
	put(&r, value_set_string(object, "up", body->up));
	put(&r, value_set_string(object, "appeal", body->appeal));
	put(&r, value_set_take(object, "alternates", text_array(&body->alternates)));
	put(&r, value_set_take(object, "languages", text_array(&body->languages)));
	put(&r, value_set_boolean(object, "external", body->is_external));
	return finish(r, object);
}

static int write_bodies(const struct policy_set *set, struct value *bodies)
{
	int r = 0;

	for (size_t i = 0; i < set->bodies.n_items && r == 0; i++)
		r = value_append_take(bodies, body_value(set->bodies.items[i]));
	return r;
}

static int write_interruptions(const struct policy_set *set, struct value *array)
{
	int r = 0;

	for (size_t i = 0; i < set->interruptions.n_items && r == 0; i++) {
		const struct policy_interruption *item = set->interruptions.items[i];
		struct value *entry = value_new_object();

		put(&r, entry ? 0 : -ENOMEM);
		put(&r, value_set_string(entry, "id", item->id));
		put(&r, value_set_string(entry, "from", item->from));
		put(&r, value_set_string(entry, "to", item->to));
		put(&r, value_set_take(entry, "regions", text_array(&item->regions)));
		put(&r, value_set_take(entry, "wikis", text_array(&item->wikis)));
		put(&r, value_append_take(array, entry));
	}
	return r;
}

int policy_effective_write(struct policy_set *set)
{
	struct value *root CLEANUP(value_freep) = value_new_object();
	struct value *profiles = value_new_array(), *wikis = value_new_array();
	struct value *bodies = value_new_array(), *interruptions = value_new_array();
	int r = root ? 0 : -ENOMEM;

	put(&r, value_set_take(root, "profiles", profiles));
	put(&r, value_set_take(root, "wikis", wikis));
	put(&r, value_set_take(root, "bodies", bodies));
	put(&r, value_set_take(root, "interruptions", interruptions));
	/* What has no wiki (an emergency that names none) goes by base. */
	put(&r, r ? r : add_profile(set, (struct policy_view *)(uintptr_t)set->base, profiles));
	put(&r, r ? r : value_set_string(root, "base_profile", set->base->profile));
	put(&r, r ? r : value_set_take(root, "routes", routes_value(set->base)));
	put(&r, r ? r : write_wikis(set, wikis, profiles));
	put(&r, r ? r : write_bodies(set, bodies));
	put(&r, r ? r : write_interruptions(set, interruptions));
	if (r == 0)
		r = value_write_canonical(root, &set->effective);
	return r < 0 ? r : buffer_finish(&set->effective);
}
