#pragma once

// Internal to src/hsm: what a key that stays in a token must be there, and how it is found.
#include <vector>

#include "hsm/resident_reference.h"
#include "hsm/token_objects.h"

namespace dare::hsm {

CK_OBJECT_CLASS ClassOf(ResidentKind kind);
CK_KEY_TYPE TypeOf(ResidentKind kind);
// kDenied unless the key is what the reference says, and as strong as it was made.
Result<void> JudgeResident(const SessionLease& lease, ObjectHandle handle,
                           const ResidentReference& key);
// Two at most: a second one is one too many.
Result<std::vector<ObjectHandle>> FindResident(const SessionLease& lease,
                                               CK_OBJECT_CLASS object_class, ByteView id);

}  // namespace dare::hsm
