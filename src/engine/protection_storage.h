#pragma once

#include <optional>

#include "engine/operation.h"
#include "kmip/payloads/key_pair_attributes.h"
#include "kmip/protection_storage_masks.h"

// Where the key of an object is kept (kmip-2.1 4.44, 7.33): by software, sealed by the HSM, or in
// the HSM itself, which then uses it there.
namespace dare::engine {

enum class Storage { kSoftware, kHardware };

//= kmip-2.1 7.33 Protection Storage Masks
//# an ordered collection of Protection Storage Mask selections acceptable to the client. The server
//# MAY service the request with ANY Protection Storage Mask that [...] can be satisfied in its
//# entirety (all bits match).
// The first that can be. Without masks what the attribute x-OpenDaRE-Protection-Storage says, for
// versions that have none; it is taken out of `attributes`. Protection Storage Unavailable.
Result<Storage> ChooseStorage(const std::optional<kmip::ProtectionStorageMasks>& masks,
                              kmip::AttributeSet& attributes, const OperationContext& context);
// The same for a key pair: of the private half, for the public one is no secret and is kept by
// software. Private/Public Protection Storage Unavailable.
Result<Storage> ChoosePairStorage(const kmip::KeyPairAttributes& wanted,
                                  kmip::AttributeSet& private_key, kmip::AttributeSet& public_key,
                                  const OperationContext& context);

// Whether the request says where the key is to be; asked before ChooseStorage.
bool TellsStorage(const std::optional<kmip::ProtectionStorageMasks>& masks,
                  const kmip::AttributeSet& attributes);
// Of the key that takes the place of one with the attributes `replaced`: `asked` where the request
// says so, else where that one is. What `attributes` have copied from it is made to fit.
Result<Storage> ReplacementStorage(std::optional<Storage> asked, const kmip::AttributeSet& replaced,
                                   kmip::AttributeSet& attributes, const OperationContext& context);

// For objects that are brought, or made of others: software only.
Result<void> CheckProtectionStorage(const std::optional<kmip::ProtectionStorageMasks>& masks);
// Whether the attribute asks for a storage; of an object that is kept by software nothing else is
// true, so that it may not stay there.
Result<void> RemoveStorageWish(kmip::AttributeSet& attributes);
bool IsStorageWish(const kmip::AttributeReference& reference);

// What Query tells.
kmip::ProtectionStorageMasks OfferedStorage(const OperationContext& context);

}  // namespace dare::engine
