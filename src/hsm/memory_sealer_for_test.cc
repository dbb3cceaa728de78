#include "hsm/memory_sealer_for_test.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "crypto/block_cipher.h"
#include "crypto/random.h"
#include "hsm/sealed_record.h"

namespace dare::hsm {
namespace {

Error Gone() { return Error(Code::kUnavailable, "the token is gone"); }

}  // namespace

MemorySealerForTest::MemorySealerForTest(SecretBytes key, SealerInfo info)
    : key_(std::move(key)), info_(std::move(info)) {}

std::unique_ptr<MemorySealerForTest> MemorySealerForTest::Make() {
  CHECK(StartSecureHeap(std::size_t{1} << 20).has_value());
  Result<SecretBytes> key = SecretBytes::Random(32);
  CHECK(key.has_value());
  SealerInfo info{"memory", Bytes(kMasterKeyIdBytes), {}, "AES-256-GCM in memory, for tests"};
  CHECK(crypto::RandomBytes(info.key_id).has_value());
  return std::unique_ptr<MemorySealerForTest>(
      new MemorySealerForTest(*std::move(key), std::move(info)));
}

Result<Bytes> MemorySealerForTest::Seal(ByteView aad, ByteView secret) {
  TRY(CheckSealable(aad, secret));
  if (unavailable_) return Gone();
  std::array<std::uint8_t, kRecordNonceBytes> nonce;
  TRY(crypto::RandomBytes(nonce));
  Bytes record = StartRecord(info_.key_id, nonce, secret.size());
  const Bytes bound = BoundTo(ByteView(record).first(kRecordHeadBytes), aad);
  crypto::CipherRequest request;
  request.key = key_.Reveal();
  request.iv = nonce;
  request.aad = bound;
  const crypto::CipherOutput output = TRY(crypto::Encrypt(request, secret));
  Append(record, output.data);
  Append(record, output.tag);
  ++seals_;
  return record;
}

Result<SecretBytes> MemorySealerForTest::Open(ByteView aad, ByteView sealed) {
  if (aad.empty()) return Error(Code::kInvalidArgument, "a record must be bound to something");
  if (unavailable_) return Gone();
  const SealedRecordView record = TRY(ParseRecord(sealed, info_.key_id));
  const Bytes bound = BoundTo(record.head, aad);
  crypto::CipherRequest request;
  request.key = key_.Reveal();
  request.iv = record.nonce;
  request.aad = bound;
  ++opens_;
  const std::size_t size = record.ciphertext.size() - kRecordTagBytes;
  const auto plain =
      crypto::Decrypt(request, record.ciphertext.first(size), record.ciphertext.subspan(size));
  if (!plain) return DoesNotAuthenticate();
  return SecretBytes::CopyOf(*plain);
}

}  // namespace dare::hsm
