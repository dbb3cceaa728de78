#include "envelope/algorithm_suite.h"

#include <algorithm>
#include <array>
#include <utility>

namespace dare::envelope {
namespace {

using crypto::HkdfHash;

// ESDK message format, "Supported algorithm suites". A row more is a format change: see the
// snapshot in algorithm_suite_test.cc.
constexpr std::array<AlgorithmSuite, 11> kSuites = {{
    {0x0014, 1, 16, std::nullopt, false, FooterSignature::kNone},
    {0x0046, 1, 24, std::nullopt, false, FooterSignature::kNone},
    {0x0078, 1, 32, std::nullopt, false, FooterSignature::kNone},
    {0x0114, 1, 16, HkdfHash::kSha256, false, FooterSignature::kNone},
    {0x0146, 1, 24, HkdfHash::kSha256, false, FooterSignature::kNone},
    {0x0178, 1, 32, HkdfHash::kSha256, false, FooterSignature::kNone},
    {0x0214, 1, 16, HkdfHash::kSha256, false, FooterSignature::kEcdsaP256},
    {0x0346, 1, 24, HkdfHash::kSha384, false, FooterSignature::kEcdsaP384},
    {0x0378, 1, 32, HkdfHash::kSha384, false, FooterSignature::kEcdsaP384},
    {0x0478, 2, 32, HkdfHash::kSha512, true, FooterSignature::kNone},
    {0x0578, 2, 32, HkdfHash::kSha512, true, FooterSignature::kEcdsaP384},
}};

Bytes SuiteIdBytes(const AlgorithmSuite& suite) {
  Bytes id(2);
  PutU16(id.data(), suite.id);
  return id;
}

// Header version 2: PRK = Extract(message id, DEK); key and commitment are two expansions of it.
Result<MessageKeys> DeriveCommitting(const AlgorithmSuite& suite, ByteView message_id,
                                     const Dek& dek) {
  const SecretBytes prk = TRY(crypto::HkdfExtract(*suite.kdf, message_id, dek.Reveal()));
  Bytes info = SuiteIdBytes(suite);
  Append(info, AsBytes("DERIVEKEY"));
  MessageKeys keys;
  keys.data_key = TRY(crypto::HkdfExpand(*suite.kdf, prk.Reveal(), info, suite.key_length));
  const SecretBytes commitment =
      TRY(crypto::HkdfExpand(*suite.kdf, prk.Reveal(), AsBytes("COMMITKEY"), 32));
  keys.commitment = ToBytes(commitment.Reveal());  // public: it stands in the header
  return keys;
}

}  // namespace

const AlgorithmSuite* FindSuite(std::uint16_t id) {
  const auto* row = std::find_if(kSuites.begin(), kSuites.end(),
                                 [id](const AlgorithmSuite& suite) { return suite.id == id; });
  return row == kSuites.end() ? nullptr : row;
}

Result<MessageKeys> DeriveMessageKeys(const AlgorithmSuite& suite, ByteView message_id,
                                      const Dek& dek) {
  if (dek.size() != suite.key_length) {
    return Error(Code::kDamaged, "the unwrapped DEK has the wrong length");
  }
  if (suite.commits) return DeriveCommitting(suite, message_id, dek);
  MessageKeys keys;
  if (!suite.kdf) {
    keys.data_key = TRY(SecretBytes::CopyOf(dek.Reveal()));
    return keys;
  }
  const SecretBytes prk = TRY(crypto::HkdfExtract(*suite.kdf, {}, dek.Reveal()));
  Bytes info = SuiteIdBytes(suite);
  Append(info, message_id);
  keys.data_key = TRY(crypto::HkdfExpand(*suite.kdf, prk.Reveal(), info, suite.key_length));
  return keys;
}

}  // namespace dare::envelope
