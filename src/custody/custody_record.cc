#include "custody/custody_record.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "custody/row_codec.h"

namespace dare::custody {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kMostKeys = 250;
constexpr std::size_t kMostHolders = 64;

void Write(RowWriter& out, const CustodyKey& key) {
  out.Variable(key.id);
  out.U8(static_cast<std::uint8_t>(key.kind));
  out.U8(static_cast<std::uint8_t>(key.origin));
  out.U8(static_cast<std::uint8_t>(key.state));
  out.U8(key.mechanism);
  out.Text(key.label);
  out.Variable(key.check_value);
  out.U64(static_cast<std::uint64_t>(key.created));
  out.U64(static_cast<std::uint64_t>(key.retired));
  out.U8(static_cast<std::uint8_t>(key.holders.size()));
  for (const KeyHolder& holder : key.holders) {
    out.Text(holder.token);
    out.Variable(holder.wrapping_key);
    out.Variable(holder.wrapped);
  }
  out.Variable(key.quorum.ceremony);
  out.U8(key.quorum.threshold);
  out.U8(key.quorum.shares);
  out.U64(static_cast<std::uint64_t>(key.quorum.held));
}

CustodyKey ReadKey(RowReader& in) {
  CustodyKey key;
  key.id = in.Variable();
  key.kind = in.OneOf(KeyKind::kRoot);
  key.origin = in.OneOf(KeyOrigin::kCeremony);
  key.state = in.OneOf(KeyState::kDestroyed);
  key.mechanism = in.U8();
  key.label = in.Text();
  key.check_value = in.Variable();
  key.created = static_cast<std::int64_t>(in.U64());
  key.retired = static_cast<std::int64_t>(in.U64());
  const std::size_t holders = in.U8();
  for (std::size_t i = 0; i < holders && in.good(); ++i) {
    KeyHolder holder;
    holder.token = in.Text();
    holder.wrapping_key = in.Variable();
    holder.wrapped = in.Variable();
    key.holders.push_back(std::move(holder));
  }
  key.quorum.ceremony = in.Variable();
  key.quorum.threshold = in.U8();
  key.quorum.shares = in.U8();
  key.quorum.held = static_cast<std::int64_t>(in.U64());
  return key;
}

Error NotWhole(const std::string& why) {
  return Error(Code::kMalformed, "the custody record makes no sense: " + why);
}

}  // namespace

const CustodyKey* CustodyRecord::Find(const Bytes& id) const {
  const auto key = std::ranges::find(keys, id, &CustodyKey::id);
  return key == keys.end() ? nullptr : &*key;
}

CustodyKey* CustodyRecord::Find(const Bytes& id) {
  const auto key = std::ranges::find(keys, id, &CustodyKey::id);
  return key == keys.end() ? nullptr : &*key;
}

const CustodyKey& CustodyRecord::current() const {
  const auto key = std::ranges::find(keys, KeyState::kCurrent, &CustodyKey::state);
  CHECK(key != keys.end());
  return *key;
}

Result<void> CheckWhole(const CustodyRecord& record) {
  if (record.keys.size() > kMostKeys) return NotWhole("more than 250 keys");
  if (std::ranges::count(record.keys, KeyState::kCurrent, &CustodyKey::state) != 1) {
    return NotWhole("exactly one key must be the current one");
  }
  std::set<Bytes> ids;
  for (const CustodyKey& key : record.keys) {
    if (key.id.size() != kIdBytes || !ids.insert(key.id).second) {
      return NotWhole("key ids have 8 bytes and stand once");
    }
    if (key.holders.size() > kMostHolders) return NotWhole("more than 64 holders of one key");
  }
  return {};
}

Bytes Encode(const CustodyRecord& record) {
  RowWriter out;
  out.U8(kVersion);
  out.U64(record.revision);
  out.U8(static_cast<std::uint8_t>(record.mode));
  out.U8(static_cast<std::uint8_t>(record.keys.size()));
  for (const CustodyKey& key : record.keys) Write(out, key);
  return out.Take();
}

Result<CustodyRecord> DecodeCustodyRecord(ByteView bytes) {
  RowReader in(bytes);
  CustodyRecord record;
  if (in.U8() != kVersion) return NotWhole("its version is unknown here");
  record.revision = in.U64();
  record.mode = in.OneOf(SealingMode::kRoot);
  const std::size_t keys = in.U8();
  for (std::size_t i = 0; i < keys && in.good(); ++i) record.keys.push_back(ReadKey(in));
  TRY(in.End());
  TRY(CheckWhole(record));
  return record;
}

std::string_view NameOf(SealingMode mode) { return mode == SealingMode::kRoot ? "root" : "direct"; }

std::string_view NameOf(KeyKind kind) { return kind == KeyKind::kRoot ? "root key" : "master key"; }

std::string_view NameOf(KeyOrigin origin) {
  return origin == KeyOrigin::kCeremony ? "ceremony" : "token";
}

std::string_view NameOf(KeyState state) {
  switch (state) {
    case KeyState::kPrepared:
      return "prepared";
    case KeyState::kCurrent:
      return "current";
    case KeyState::kRetiring:
      return "retiring";
    case KeyState::kRetired:
      return "retired";
    case KeyState::kDestroyed:
      return "destroyed";
  }
  return "unknown";
}

}  // namespace dare::custody
