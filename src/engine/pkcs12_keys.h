#pragma once

#include "engine/operation.h"
#include "kmip/payloads/register.h"

// Private Keys in PKCS#12 (RFC 7292), with the certificates that belong to them and under the
// password that a PKCS#12 Password Link names (kmip-2.1 4.39, 6.1.19; kmip-1.4 3.53).
namespace dare::engine {

bool IsPkcs12(const kmip::RegisterRequest& request);
// What a container holds becomes objects: its certificates as Certificates, each linked to its
// issuer, and the key as a Private Key in PKCS#8, linked to its certificate. Bad Password (2.1),
// Wrong Key Lifecycle State, kDamaged as Cryptographic Failure.
Result<kmip::RegisterResponse> RegisterPkcs12(const kmip::RegisterRequest& request,
                                              OperationContext& context);

// The Private Key `object`, and the certificates that its links lead to, as a Private Key object in
// PKCS#12.
Result<WipingBytes> AsPkcs12(OperationContext& context, const kmip::ManagedObject& object);

}  // namespace dare::engine
