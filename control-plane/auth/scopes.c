/* scopes.c: scopes.def as data. A scope is what an API key was given; what its kind may not hold it
 * does not grant, even if a stored key lists it. Unknown is no.
 */
#include "control-plane/auth/scopes.h"

#define O 1u
#define S 2u
#define U 4u
#define M 8u

static const struct {
    const char *text;
    unsigned holders;
} scopes[] = {
#define SCOPE(scope_text, scope_holders) {scope_text, scope_holders},
#include "control-plane/auth/scopes.def"
#undef SCOPE
};

static unsigned holder_bit(Sluice__ApiKeyType type)
{
    switch (type) {
    case SLUICE__API_KEY_TYPE__API_KEY_ORGANISATION_SERVICE:
        return O;
    case SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_SERVICE:
        return S;
    case SLUICE__API_KEY_TYPE__API_KEY_WORKSPACE_USER:
        return U;
    default:
        return 0;
    }
}

bool scope_fits(Sluice__ApiKeyType type, struct str scope)
{
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        if (str_eq(scope, str_c(scopes[i].text)))
            return (scopes[i].holders & holder_bit(type)) != 0;
    return false;
}

bool scope_is_for_members(struct str scope)
{
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        if (str_eq(scope, str_c(scopes[i].text)))
            return (scopes[i].holders & M) != 0;
    return false;
}

bool scope_at(size_t index, struct str *scope)
{
    if (index >= COUNT_OF(scopes))
        return false;
    *scope = str_c(scopes[index].text);
    return true;
}
