/* step_recall.c: was this answered before?
 *
 * Behind every decision about whether this caller may send this to this target, in front of any
 * that costs something. The body is compared as the target would get it, so a config's
 * override_params are laid over it here.
 */
#include "data-plane/worker/req.h"

enum step_result req_step_recall(struct req *req)
{
    enum step_result result = req_apply_overrides(req);
    if (result != STEP_NEXT)
        return result;
    return recall_find(req) ? STEP_DONE : STEP_NEXT;
}
