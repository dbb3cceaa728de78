#include "engine/audit_tail.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "audit/audit_log.h"
#include "audit/entry_codec.h"
#include "base/bytes.h"
#include "base/log.h"
#include "engine/vault.h"
#include "store/change.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

constexpr char kPrefix[] = "audit-tail-";
constexpr char kPurpose[] = "dare-audit-tail-1";
constexpr auto kVersion = static_cast<std::uint8_t>(audit::EntryForm::kNow);
constexpr auto kOldVersion = static_cast<std::uint8_t>(audit::EntryForm::kWithoutVersions);
constexpr std::size_t kCheckBytes = 32;

// kDamaged unless this very vault wrote the row.
Result<std::vector<audit::NumberedEntry>> ReadRow(const Vault& vault, ByteView row) {
  if (row.size() < 1 + kCheckBytes || (row[0] != kVersion && row[0] != kOldVersion)) {
    return Error(Code::kDamaged, "not a row of ours");
  }
  const ByteView content = row.first(row.size() - kCheckBytes);
  if (!EqualInConstantTime(TRY(vault.Authenticate(kPurpose, content)), row.last(kCheckBytes))) {
    return Error(Code::kDamaged, "it does not authenticate");
  }
  return audit::DecodeEntries(content.subspan(1), static_cast<audit::EntryForm>(row[0]));
}

Result<void> Remove(store::ObjectStore& store, const std::vector<std::string>& keys) {
  return store::Change(store, [&](store::Transaction& transaction) -> Result<void> {
    for (const std::string& key : keys) TRY(transaction.RemoveMeta(key));
    return {};
  });
}

std::string PrefixOf(const std::string& node) { return kPrefix + node + "/"; }

}  // namespace

Result<void> AuditTail::Recover(store::ObjectStore& store, const Vault& vault,
                                audit::AuditLog& audit, const std::string& node, Whose whose) {
  const std::vector<std::string> keys =
      TRY(store.ListMeta(whose == Whose::kAll ? kPrefix : PrefixOf(node)));
  std::vector<audit::NumberedEntry> held;
  for (const std::string& key : keys) {
    auto row = ReadRow(vault, TRY(store.GetMeta(key)));
    // Whatever it was, the server must be able to start: it takes nothing from such a row.
    if (!row) log::Failure("the store's " + key + " is damaged: " + row.error().message);
    if (row) std::ranges::move(*row, std::back_inserter(held));
  }
  std::ranges::sort(held, {}, &audit::NumberedEntry::sequence);
  if (const std::size_t lost = TRY(audit.Recover(held)); lost != 0) {
    log::Warning(std::to_string(lost) + " audit entries, lost with the power, were recovered");
  }
  if (keys.empty()) return {};
  return Remove(store, keys);
}

bool AuditTail::IsRow(std::string_view key) { return key.starts_with(kPrefix); }

bool AuditTail::CheckRow(const Vault& vault, ByteView row) {
  return ReadRow(vault, row).has_value();
}

Result<AuditTail::Slot> AuditTail::TakeSlot() {
  if (slots_.size() >= kMostSlots && slots_.front().last > audit_.synced()) {
    TRY(audit_.FlushAndSync());
  }
  if (slots_.empty() || slots_.front().last > audit_.synced()) {
    return Slot{.key = PrefixOf(node_) + std::to_string(slots_.size())};
  }
  Slot slot = std::move(slots_.front());
  slots_.pop_front();
  return slot;
}

Result<void> AuditTail::Put(store::Transaction& transaction,
                            std::span<const audit::NumberedEntry> entries) {
  if (entries.empty()) return {};
  Bytes row = {kVersion};
  Append(row, audit::EncodeEntries(entries));
  Append(row, TRY(vault_.Authenticate(kPurpose, row)));
  Slot slot = TRY(TakeSlot());
  slot.last = entries.back().sequence;
  slots_.push_back(slot);  // kept even if the transaction fails: then it holds what it held
  return transaction.PutMeta(slot.key, row);
}

}  // namespace dare::engine
