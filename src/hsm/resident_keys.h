#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "crypto/block_cipher.h"
#include "crypto/key_wrap.h"
#include "crypto/mac.h"
#include "crypto/rsa_encryption.h"
#include "crypto/signature.h"
#include "hsm/resident_reference.h"

namespace dare::hsm {

// How the label of every resident key begins; whose it is follows.
inline constexpr std::string_view kResidentLabel = "dare-kms-key ";

// What a resident key may do. The token enforces it too; whatever is not here is forbidden for
// ever. For RSA `decrypt` covers unwrapping: it is the same computation.
struct ResidentRights {
  bool encrypt = false;
  bool decrypt = false;
  bool sign = false;    // MACs and signatures
  bool verify = false;  // MACs; signatures are verified with the public half, outside
  bool wrap = false;    // AES only
  bool unwrap = false;  // AES only
};

struct ResidentSpecification {
  ResidentKind kind{};
  std::size_t bits = 0;  // AES 128, 192, 256; HMAC in whole bytes; RSA 2048–4096
  std::string curve;     // EC: "prime256v1", "secp384r1", "secp521r1"
  ResidentRights rights;
  std::string label;  // CKA_LABEL: kResidentLabel, then whose it is
};

// A key that a token holds, as List finds it.
struct ResidentEntry {
  std::string label;
  std::string token_label;
  std::string token_serial;
  Bytes id;
};

// ResidentKeys are keys that were made inside a token, stay there, and are used there: sensitive
// and never extractable, with no rights but those they were made for. What they need not the token
// for (public halves, hashes) is done by src/crypto. Whole messages only. Thread-safe.
//
// Every use may fail with kUnavailable or kTimeout (the token is gone: says nothing of the key),
// kNotFound (the token has no such key any more), kDenied (the token does not give the key this
// right, or the key is weaker than it was made), kUnsupported (the token has no such mechanism,
// or not with these parameters).
class ResidentKeys {
 public:
  virtual ~ResidentKeys() = default;

  // kUnsupported when no token makes such a key; kExhausted when there are as many as the
  // configuration allows.
  virtual Result<ResidentReference> Generate(const ResidentSpecification& wanted) = 0;
  // Finds and judges the key: whether it can be used, and removed, now.
  virtual Result<void> Find(const ResidentReference& key) = 0;
  // Removes the key for ever. No error when it is gone already.
  virtual Result<void> Remove(const ResidentReference& key) = 0;
  virtual Result<void> Remove(const ResidentEntry& key) = 0;
  // The keys whose label begins so, in every token that came since the start; kUnavailable when one
  // of those does not answer.
  virtual Result<std::vector<ResidentEntry>> List(const std::string& label_prefix) = 0;

  // AES in GCM, CBC with and without padding, CTR and ECB, as far as the token goes. `request.key`
  // is not looked at.
  virtual Result<crypto::CipherOutput> Encrypt(const ResidentReference& key,
                                               const crypto::CipherRequest& request,
                                               ByteView plain) = 0;
  // kDamaged when tag or padding is wrong.
  virtual Result<WipingBytes> Decrypt(const ResidentReference& key,
                                      const crypto::CipherRequest& request, ByteView data,
                                      ByteView tag) = 0;
  virtual Result<Bytes> WrapKey(const ResidentReference& key, crypto::KeyWrapMode mode,
                                ByteView plain) = 0;
  // kDamaged when `wrapped` was not made by this key and mode.
  virtual Result<SecretBytes> UnwrapKey(const ResidentReference& key, crypto::KeyWrapMode mode,
                                        ByteView wrapped) = 0;
  // HMAC and CMAC.
  virtual Result<Bytes> Mac(const ResidentReference& key, const crypto::MacAlgorithm& algorithm,
                            ByteView data) = 0;
  virtual Result<bool> VerifyMac(const ResidentReference& key,
                                 const crypto::MacAlgorithm& algorithm, ByteView data,
                                 ByteView code) = 0;
  // RSA with PKCS#1 v1.5 and PSS, ECDSA (DER, RFC 3279). `scheme.hash` names what made the digest.
  virtual Result<Bytes> SignDigest(const ResidentReference& key,
                                   const crypto::SignatureScheme& scheme, ByteView digest) = 0;
  // kDamaged, whatever part of the padding was wrong.
  virtual Result<WipingBytes> DecryptRsa(const ResidentReference& key,
                                         const crypto::RsaScheme& scheme, ByteView data) = 0;
};

}  // namespace dare::hsm
