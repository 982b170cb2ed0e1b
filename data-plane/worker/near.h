/* near.h: "did you mean": the names closest to a mistyped one. Pure. */
#ifndef SLUICE_DATA_WORKER_NEAR_H
#define SLUICE_DATA_WORKER_NEAR_H

#include "common/str.h"

#define NEAR_MAX      3
#define NEAR_NAME_MAX 96

struct near {
    struct str wanted;
    size_t count;
    unsigned distance[NEAR_MAX];
    char names[NEAR_MAX][NEAR_NAME_MAX];
    size_t lengths[NEAR_MAX];
};

void near_init(struct near *near, struct str wanted);
/* Considers one candidate (copied if it is among the closest). Names of over NEAR_NAME_MAX bytes are passed over. */
void near_offer(struct near *near, struct str candidate);
/* " Did you mean a, b or c?" into out, or "" when nothing is near. Returns its length. */
size_t near_sentence(const struct near *near, const char *prefix, char *out, size_t room);

#endif
