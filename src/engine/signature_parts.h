#pragma once

#include <utility>
#include <variant>

#include "crypto/digest.h"
#include "crypto/signature.h"
#include "engine/signature_choice.h"
#include "engine/streams.h"
#include "kmip/reject.h"

// What Sign and Signature Verify do alike, whichever half of the key pair they hold. `Key` is
// UsablePrivateKey or UsablePublicKey.
namespace dare::engine {

// The request's Cryptographic Parameters, those of the key where it leaves fields out.
template <typename Request, typename Key>
kmip::CryptographicParameters SignatureParameters(const Request& request, const Key& key) {
  return request.parameters.value_or(kmip::CryptographicParameters()).Over(key.defaults);
}

// Adds one part of the data to the hash that is signed in the end; the part without a Correlation
// Value begins it. Invalid Message for Digested Data, which is whole already; Unsupported
// Cryptographic Parameters for keys that sign no hash (Ed25519, Ed448).
template <typename Request, typename Key>
Result<UnfinishedStream> HashPart(const Request& request, const Key& key,
                                  OperationContext& context) {
  using kmip::Reject;
  using kmip::ResultReason;
  if (request.digested_data) {
    return Reject(ResultReason::kInvalidMessage, "Digested Data does not come in parts");
  }
  if (crypto::SignsWholeMessages(key.facts.family)) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters,
                  "signatures of this key are of whole messages, not parts");
  }
  const auto begin = [&]() -> Result<UnfinishedStream> {
    kmip::CryptographicParameters parameters = SignatureParameters(request, key);
    const auto scheme = TRY(ChooseSignature(parameters, key.facts, Signed::kData));
    crypto::DigestStream digest =
        TRY(crypto::DigestStream::Begin(*scheme.hash, context.algorithms()));
    return UnfinishedStream{.state = std::move(digest), .parameters = std::move(parameters)};
  };
  UnfinishedStream stream = TRY(ResumeOrBegin(request, key.object->object.id, context, begin));
  TRY(std::get<crypto::DigestStream>(stream.state).Update(request.data.value_or(ByteView())));
  return stream;
}

}  // namespace dare::engine
