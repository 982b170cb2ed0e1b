/* usage_pick.h: finds what an answer says about its own cost, while its bytes flow by.
 *
 * For a whole JSON answer: an incremental scan of the top-level object that captures a few members
 * (usage, id, object, model) without keeping the rest; constant memory (USAGE_PICK_MEMBER_MAX per
 * captured member). For a stream event: usage_pick_event reads one data payload. Understands
 * OpenAI's usage objects (chat, completions, embeddings, responses, images, audio), x_groq.usage,
 * Anthropic's (its input_tokens leave out what a cache holds: here all input counts) and Cohere's
 * billed_units. Never fails the answer: what is not understood counts as "no usage".
 */
#ifndef SLUICE_DATA_USAGE_PICK_H
#define SLUICE_DATA_USAGE_PICK_H

#include "common/json_scan.h"
#include "data-plane/usage.h"

#define USAGE_PICK_MEMBER_MAX 4096

struct usage_pick {
    bool found;
    struct slot_usage usage;
    char id[80], object[24]; /* top-level "id" and "object" of the answer, NUL-terminated */
    char tier[16];           /* "service_tier" as served, NUL-terminated */
    uint64_t items;          /* objects in a top-level "data" array: images made */
    char files[120];         /* ids in output_file_id, error_file_id, result_files: a blank between,
                                NUL-terminated */
    /* scanner state */
    uint32_t depth;
    bool in_string, escape, key_next, capturing, broken, in_data, in_output;
    struct slot_usage calls; /* server tools used, by the items of a top-level "output" */
    uint8_t want; /* member being captured */
    size_t member_n;
    char name[24];
    size_t name_n;
    char *member; /* USAGE_PICK_MEMBER_MAX bytes, from the caller */
};

void usage_pick_init(struct usage_pick *pick, char member_room[USAGE_PICK_MEMBER_MAX]);
/* Next bytes of a JSON answer. */
void usage_pick_feed(struct usage_pick *pick, const char *p, size_t n);
/* One stream event's data. True if it holds usage (then `only_usage` says whether it carries
 * nothing else: choices is []). */
bool usage_pick_event(struct usage_pick *pick, struct str data, struct str usage_path,
                      bool *only_usage);
/* The id inside a Responses stream event ({"response":{"id":..}}), if it has one. */
void usage_pick_response_id(struct usage_pick *pick, struct str data);
/* The usage with the server tools that the answer shows as used, whichever came first. */
struct slot_usage usage_pick_total(const struct usage_pick *pick);
/* Adds the ids of one such member's raw JSON (a string or an array of strings) to `files`, while
 * they fit and are not there. */
void usage_pick_files(char files[120], struct str raw);
/* One usage object's raw JSON. True if any figure was understood. */
bool usage_pick_object(struct usage_pick *pick, struct str raw);

#endif
