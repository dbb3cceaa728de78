#include "engine/key_computation.h"

#include <utility>

#include "base/log.h"
#include "crypto/algorithm_policy.h"
#include "crypto/digest.h"
#include "engine/cipher_choice.h"
#include "engine/resident_care.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

// The result of src/crypto, its error in KMIP's words.
template <typename T>
Result<T> Said(Result<T> result) {
  if (!result) return CryptographicError(result.error());
  return result;
}

Error HsmError(const Error& error) {
  switch (error.code) {
    case Code::kDenied:
      return Reject(ResultReason::kPermissionDenied, error.message);
    case Code::kNotFound:
      log::Failure(error.message);
      return Reject(ResultReason::kGeneralFailure, error.message);
    default:
      return CryptographicError(error);
  }
}

template <typename T>
Result<T> SaidByHsm(Result<T> result) {
  if (!result) return HsmError(result.error());
  return result;
}

Result<hsm::ResidentKeys*> Hsm(const OperationContext& context) {
  return context.residents().keys();
}

}  // namespace

Result<crypto::CipherOutput> EncryptWith(const UsableKey& key, crypto::CipherRequest request,
                                         ByteView plain, const OperationContext& context) {
  request.policy = context.algorithms();
  if (key.resident) {
    return SaidByHsm(TRY(Hsm(context))->Encrypt(*key.resident, request, plain));
  }
  request.key = key.bytes;
  return Said(crypto::Encrypt(request, plain));
}

Result<WipingBytes> DecryptWith(const UsableKey& key, crypto::CipherRequest request, ByteView data,
                                ByteView tag, const OperationContext& context) {
  request.policy = context.algorithms();
  if (key.resident) {
    return SaidByHsm(TRY(Hsm(context))->Decrypt(*key.resident, request, data, tag));
  }
  request.key = key.bytes;
  return Said(crypto::Decrypt(request, data, tag));
}

Result<Bytes> WrapWith(const UsableKey& key, crypto::KeyWrapMode mode, ByteView plain,
                       const OperationContext& context) {
  if (key.resident) return SaidByHsm(TRY(Hsm(context))->WrapKey(*key.resident, mode, plain));
  return Said(crypto::WrapKey(mode, key.bytes, plain));
}

Result<SecretBytes> UnwrapWith(const UsableKey& key, crypto::KeyWrapMode mode, ByteView wrapped,
                               const OperationContext& context) {
  if (key.resident) return SaidByHsm(TRY(Hsm(context))->UnwrapKey(*key.resident, mode, wrapped));
  return Said(crypto::UnwrapKey(mode, key.bytes, wrapped));
}

Result<Bytes> MacWith(const UsableKey& key, const crypto::MacAlgorithm& algorithm, ByteView data,
                      const OperationContext& context) {
  if (!key.resident) return Said(crypto::Mac(algorithm, key.bytes, data, context.algorithms()));
  if (algorithm.kind == crypto::MacAlgorithm::Kind::kHmac) {
    TRY(crypto::CheckHmac(context.algorithms(), algorithm.hash, key.resident->bits / 8));
  }
  return SaidByHsm(TRY(Hsm(context))->Mac(*key.resident, algorithm, data));
}

Result<bool> IsMacOf(const UsableKey& key, const crypto::MacAlgorithm& algorithm, ByteView data,
                     ByteView code, const OperationContext& context) {
  if (key.resident) {
    return SaidByHsm(TRY(Hsm(context))->VerifyMac(*key.resident, algorithm, data, code));
  }
  const Bytes right = TRY(MacWith(key, algorithm, data, context));
  return crypto::MacMatches(right, code, right.size());
}

Result<Bytes> SignMessageWith(const UsablePrivateKey& key, const crypto::SignatureScheme& scheme,
                              ByteView message, const OperationContext& context) {
  if (!key.resident) {
    return Said(crypto::SignMessage(*key.key, scheme, message, context.algorithms()));
  }
  if (!scheme.hash) {
    return Reject(ResultReason::kUnsupportedCryptographicParameters, "no hash to sign");
  }
  const Bytes digest = TRY(Said(crypto::Digest(*scheme.hash, message, context.algorithms())));
  return SignDigestWith(key, scheme, digest, context);
}

Result<Bytes> SignDigestWith(const UsablePrivateKey& key, const crypto::SignatureScheme& scheme,
                             ByteView digest, const OperationContext& context) {
  if (!key.resident) {
    return Said(crypto::SignDigest(*key.key, scheme, digest, context.algorithms()));
  }
  if (scheme.hash) TRY(crypto::CheckHash(context.algorithms(), *scheme.hash));
  return SaidByHsm(TRY(Hsm(context))->SignDigest(*key.resident, scheme, digest));
}

Result<WipingBytes> DecryptRsaWith(const UsablePrivateKey& key, const crypto::RsaScheme& scheme,
                                   ByteView data, const OperationContext& context) {
  if (key.resident) return SaidByHsm(TRY(Hsm(context))->DecryptRsa(*key.resident, scheme, data));
  return Said(crypto::RsaDecrypt(*key.key, scheme, data, context.algorithms()));
}

Result<void> CheckTakesParts(const UsableKey& key) {
  if (!key.resident) return {};
  return Reject(ResultReason::kFeatureNotSupported,
                "a key in the HSM takes whole messages, not parts");
}

}  // namespace dare::engine
