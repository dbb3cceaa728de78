#include "engine/guarded_facts.h"

#include <utility>

#include "engine/vault.h"

namespace dare::engine {
namespace {

constexpr std::size_t kCheckBytes = 32;
constexpr std::size_t kPageRows = 1000;

Error DoesNotAuthenticate(const std::string& key) {
  return Error(Code::kDamaged, "the fact " + key + " does not authenticate");
}

Result<std::optional<Bytes>> Read(const Vault& vault, const store::ObjectReader& reader,
                                  const std::string& key) {
  const Result<Bytes> kept = reader.GetMeta(key);
  if (!kept && kept.error().code == Code::kNotFound) return std::optional<Bytes>();
  if (!kept) return kept.error();
  const auto content = TRY(OpenGuarded(vault, key, *kept));
  if (!content) return DoesNotAuthenticate(key);
  return std::optional<Bytes>(ToBytes(*content));
}

}  // namespace

Result<Bytes> Guard(const Vault& vault, const std::string& key, ByteView content) {
  Bytes kept = TRY(vault.Authenticate(key, content));
  Append(kept, content);
  return kept;
}

Result<std::optional<ByteView>> OpenGuarded(const Vault& vault, const std::string& key,
                                            ByteView kept) {
  if (kept.size() < kCheckBytes) return std::optional<ByteView>();
  const ByteView content = kept.subspan(kCheckBytes);
  const Bytes check = TRY(vault.Authenticate(key, content));
  if (!EqualInConstantTime(check, kept.first(kCheckBytes))) return std::optional<ByteView>();
  return std::optional<ByteView>(content);
}

std::string TableSumKey(std::string_view table) {
  return std::string(kTableSumPrefix) + std::string(table);
}

std::string TableRowPrefix(std::string_view table) {
  return std::string(kTableRowPrefix) + std::string(table) + "/";
}

Result<GuardedTable> GuardedTable::Open(const Vault& vault, store::Transaction& transaction,
                                        std::string_view table) {
  GuardedTable opened(vault, transaction, table);
  const Result<Bytes> row = transaction.GetMeta(opened.sum_key_);
  if (row) {
    opened.sum_ = TRY(DecodeSum(vault, opened.sum_key_, *row));
  } else if (row.error().code != Code::kNotFound) {
    return row.error();
  }
  return opened;
}

Result<std::optional<Bytes>> GuardedTable::Get(const std::string& name) const {
  return Read(vault_, transaction_, row_prefix_ + name);
}

Result<std::vector<std::string>> GuardedTable::List(const std::string& prefix) const {
  std::vector<std::string> names = TRY(transaction_.ListMeta(row_prefix_ + prefix));
  for (std::string& name : names) name.erase(0, row_prefix_.size());
  return names;
}

Result<void> GuardedTable::Subtract(const std::string& key) {
  const Result<Bytes> before = transaction_.GetMeta(key);
  if (!before && before.error().code == Code::kNotFound) return {};
  if (!before) return before.error();
  sum_.sum -= TRY(NumberOfFact(vault_, key, *before));
  --sum_.records;
  return {};
}

Result<void> GuardedTable::Put(const std::string& name, ByteView content) {
  const std::string key = row_prefix_ + name;
  TRY(Subtract(key));
  const Bytes kept = TRY(Guard(vault_, key, content));
  sum_.sum += TRY(NumberOfFact(vault_, key, kept));
  ++sum_.records;
  return transaction_.PutMeta(key, kept);
}

Result<void> GuardedTable::Remove(const std::string& name) {
  const std::string key = row_prefix_ + name;
  TRY(Subtract(key));
  return transaction_.RemoveMeta(key);
}

Result<void> GuardedTable::Finish() {
  ++sum_.group;
  const Bytes row = TRY(EncodeSum(vault_, sum_key_, sum_));
  return transaction_.PutMeta(sum_key_, row);
}

Result<std::optional<Bytes>> GuardedRows::Get(const std::string& name) const {
  return Read(vault_, store_, row_prefix_ + name);
}

Result<void> GuardedRows::ForEach(std::string_view prefix, const Visit& visit) const {
  const std::string from = row_prefix_ + std::string(prefix);
  std::string last;
  for (;;) {
    const auto page = TRY(store_.ScanMeta(from, last, kPageRows));
    for (const store::MetaRow& row : page) {
      last = row.key;
      const auto content = TRY(OpenGuarded(vault_, row.key, row.value));
      TRY(visit(row.key.substr(row_prefix_.size()),
                content ? Result<ByteView>(*content) : DoesNotAuthenticate(row.key)));
    }
    if (page.size() < kPageRows) return {};
  }
}

Result<void> TableCount::Add(const Vault& vault, const store::MetaRow& row) {
  sum_.sum += TRY(NumberOfFact(vault, row.key, row.value));
  ++sum_.records;
  return {};
}

}  // namespace dare::engine
