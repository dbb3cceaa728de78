#pragma once

#include <optional>

#include "crypto/asymmetric_key.h"
#include "kmip/enums.h"
#include "ttlv/item.h"
#include "ttlv/writer.h"

// Key pairs as the structures of numbers that KMIP calls transparent (kmip-2.1 3.5–3.12;
// kmip-1.4 2.1.7): Key Material to keys and back.
namespace dare::engine {

bool IsTransparentPrivate(kmip::KeyFormatType format);
bool IsTransparentPublic(kmip::KeyFormatType format);

// `algorithm` tells Ed25519 from X25519, which share a curve. kMalformed, kInvalidArgument,
// kUnsupported.
Result<crypto::PrivateKey> ReadTransparentPrivate(
    const ttlv::Item& material, kmip::KeyFormatType format,
    std::optional<kmip::CryptographicAlgorithm> algorithm, crypto::KeySource source);
Result<crypto::PublicKey> ReadTransparentPublic(
    const ttlv::Item& material, kmip::KeyFormatType format,
    std::optional<kmip::CryptographicAlgorithm> algorithm, crypto::KeySource source);

// Writes Key Material. kUnsupported where the format is not one of this key.
Result<void> WriteTransparent(ttlv::Writer& out, const crypto::PrivateKey& key,
                              kmip::KeyFormatType format);
Result<void> WriteTransparent(ttlv::Writer& out, const crypto::PublicKey& key,
                              kmip::KeyFormatType format, crypto::PointForm form);

}  // namespace dare::engine
