#pragma once

#include <optional>

#include "base/bytes.h"
#include "engine/operation.h"
#include "hsm/resident_reference.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/enums.h"

namespace dare::engine {

// What a key is opened for; decides which state and which bit of the usage mask is needed.
enum class KeyPurpose {
  kEncrypt,
  kDecrypt,
  kMakeMac,
  kVerifyMac,
  kWrap,
  kUnwrap,
  kSign,
  kVerifySignature,
  kDerive,
};

// A key that may be used for its purpose now: policy, state, dates and mask were checked. Its bytes
// are here, or it stays in the HSM; key_computation.h computes with either. `bytes` borrows from
// `object`.
struct UsableKey {
  ObjectPointer object;
  ByteView bytes;  // empty where `resident` is
  std::optional<hsm::ResidentReference> resident;
  kmip::CryptographicAlgorithm algorithm{};
  // The object's first Cryptographic Parameters attribute, for fields that a request leaves out.
  kmip::CryptographicParameters defaults;
};

// Opens the key that `identifier` names. Object Not Found, Permission Denied, Wrong Key Lifecycle
// State, Incompatible Cryptographic Usage Mask, Invalid Object Type, Object Destroyed. Keys that
// stay in the HSM derive nothing: Not Extractable.
Result<UsableKey> OpenKey(OperationContext& context, const kmip::Identifier& identifier,
                          KeyPurpose purpose);
// The same for an object that was opened already.
Result<UsableKey> AsKey(const OperationContext& context, ObjectPointer stored, KeyPurpose purpose);
// The same for a wrapping key, which the request names beside its object.
Result<UsableKey> OpenWrappingKey(OperationContext& context, const std::string& id,
                                  KeyPurpose purpose);

// The checks of both, for keys of other shapes: policy was asked when `stored` was opened. Object
// Destroyed, Wrong Key Lifecycle State, Incompatible Cryptographic Usage Mask.
Result<void> CheckUsable(const OperationContext& context, const StoredObject& stored,
                         KeyPurpose purpose);
// The object's first Cryptographic Parameters attribute.
Result<kmip::CryptographicParameters> DefaultParameters(const kmip::AttributeSet& attributes);

// Takes `bytes` (or one use) off the key's Usage Limits, if it has any, before the key is used
// (kmip-2.1 4.63; kmip-1.4 3.21). Permission Denied when too little is left.
Result<void> TakeUsage(OperationContext& context, const StoredObject& stored, std::size_t bytes);
inline Result<void> TakeUsage(OperationContext& context, const UsableKey& key, std::size_t bytes) {
  return TakeUsage(context, *key.object, bytes);
}

}  // namespace dare::engine
