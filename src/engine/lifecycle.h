#pragma once

#include <cstdint>

#include "base/result.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"

// The life of a managed object (kmip-2.1 4.57 State; kmip-1.4 3.22). Dates take effect by
// themselves: the state that counts is computed from the stored one and the clock whenever it is
// asked for.
namespace dare::engine {

//= kmip-2.1 4.57 State
//# The object becomes Active when its Activation Date occurs, Deactivated when its Deactivation
// Date occurs.
kmip::State EffectiveState(const kmip::AttributeSet& attributes, std::int64_t now);

// Makes the stored State what EffectiveState says; true when it differed.
bool SettleState(kmip::AttributeSet& attributes, std::int64_t now);

// Active and between Process Start Date and Protect Stop Date as far as they are set: may protect
// (encrypt, MAC, wrap). kRejected with Wrong Key Lifecycle State otherwise (1.x: Permission
// Denied).
Result<void> CheckMayProtect(const kmip::AttributeSet& attributes, std::int64_t now);
// Active, or Deactivated by its date (which may only process); not when it was revoked, not before
// Process Start Date.
Result<void> CheckMayProcess(const kmip::AttributeSet& attributes, std::int64_t now);
// The usage mask has every bit of `needed`; Incompatible Cryptographic Usage Mask otherwise.
Result<void> CheckUsageMask(const kmip::AttributeSet& attributes,
                            kmip::CryptographicUsageMask needed);

bool IsDestroyed(kmip::State state);

// Off-line, by Archive, until Recover.
bool IsArchived(const kmip::AttributeSet& attributes);

}  // namespace dare::engine
