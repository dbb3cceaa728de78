#include "engine/running_sum.h"

#include "crypto/random.h"
#include "engine/sessions.h"
#include "engine/vault.h"

namespace dare::engine {
namespace {

constexpr std::string_view kRowPurpose = "dare-sum-row-1";
constexpr std::string_view kFactPurpose = "dare-sum-fact-1";
constexpr std::string_view kMaskPurpose = "dare-sum-mask-1";
constexpr std::string_view kCheckPurpose = "dare-sum-check-1";

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kCheckBytes = 32;
// Version, group, records, nonce, masked sum, check.
constexpr std::size_t kRowBytes = 1 + 8 + 8 + kNonceBytes + SumNumber::kBytes + kCheckBytes;

void AppendNumber(Bytes& out, std::uint64_t number) {
  std::uint8_t encoded[8];
  PutU64(encoded, number);
  Append(out, encoded);
}

// Length and text, then `rest`: no two pairs give the same bytes.
Bytes Joined(std::string_view text, ByteView rest) {
  Bytes out;
  AppendNumber(out, text.size());
  Append(out, AsBytes(text));
  Append(out, rest);
  return out;
}

}  // namespace

SumNumber SumNumber::FromBytes(ByteView bytes) {
  SumNumber number;
  for (std::size_t i = 0; i < 4; ++i) number.limbs_[3 - i] = GetU64(bytes.data() + 8 * i);
  return number;
}

Bytes SumNumber::ToBytes() const {
  Bytes out(kBytes);
  for (std::size_t i = 0; i < 4; ++i) PutU64(out.data() + 8 * i, limbs_[3 - i]);
  return out;
}

SumNumber& SumNumber::operator+=(const SumNumber& other) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned __int128 sum =
        static_cast<unsigned __int128>(limbs_[i]) + other.limbs_[i] + carry;
    limbs_[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<unsigned>(sum >> 64);
  }
  return *this;
}

SumNumber& SumNumber::operator-=(const SumNumber& other) {
  unsigned borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const unsigned __int128 difference =
        static_cast<unsigned __int128>(limbs_[i]) - other.limbs_[i] - borrow;
    limbs_[i] = static_cast<std::uint64_t>(difference);
    borrow = static_cast<unsigned>(difference >> 64) & 1;
  }
  return *this;
}

Result<SumNumber> NumberOfRow(const Vault& vault, const store::ObjectId& id,
                              std::uint64_t row_version) {
  Bytes content = Joined(id, {});
  AppendNumber(content, row_version);
  return SumNumber::FromBytes(TRY(vault.Authenticate(kRowPurpose, content)));
}

Result<SumNumber> NumberOfFact(const Vault& vault, const std::string& key, ByteView value) {
  return SumNumber::FromBytes(TRY(vault.Authenticate(kFactPurpose, Joined(key, value))));
}

bool IsSummedFact(std::string_view key) { return key.starts_with(kRulesPrefix); }

std::string SumKeyOf(const std::string& node) { return "sum-node-" + node; }

Result<Bytes> EncodeSum(const Vault& vault, const std::string& key, const RunningSum& sum) {
  Bytes row = {kVersion};
  AppendNumber(row, sum.group);
  AppendNumber(row, static_cast<std::uint64_t>(sum.records));
  std::uint8_t nonce[kNonceBytes];
  TRY(crypto::RandomBytes(nonce));
  Append(row, nonce);
  // Without the mask the difference of two sums would tell what single rows count, and from enough
  // of those a set of other rows with the same sum could be computed.
  SumNumber masked = sum.sum;
  masked += SumNumber::FromBytes(TRY(vault.Authenticate(kMaskPurpose, Joined(key, nonce))));
  Append(row, masked.ToBytes());
  Append(row, TRY(vault.Authenticate(kCheckPurpose, Joined(key, row))));
  return row;
}

Result<RunningSum> DecodeSum(const Vault& vault, const std::string& key, ByteView row) {
  if (row.size() != kRowBytes || row[0] != kVersion) {
    return Error(Code::kDamaged, "the store's " + key + " is none of ours");
  }
  const ByteView content = row.first(kRowBytes - kCheckBytes);
  const Bytes check = TRY(vault.Authenticate(kCheckPurpose, Joined(key, content)));
  if (!EqualInConstantTime(check, row.last(kCheckBytes))) {
    return Error(Code::kDamaged, "the store's " + key + " does not authenticate");
  }
  RunningSum sum;
  sum.group = GetU64(row.data() + 1);
  sum.records = static_cast<std::int64_t>(GetU64(row.data() + 9));
  const ByteView nonce = row.subspan(17, kNonceBytes);
  sum.sum = SumNumber::FromBytes(row.subspan(17 + kNonceBytes, SumNumber::kBytes));
  sum.sum -= SumNumber::FromBytes(TRY(vault.Authenticate(kMaskPurpose, Joined(key, nonce))));
  return sum;
}

}  // namespace dare::engine
