// The part of Custody that goes along with every group of changes: seals counted in the store.
#include "custody/custody.h"
#include "custody/row_codec.h"

namespace dare::custody {
namespace {

constexpr char kRecordRow[] = "custody";
constexpr char kCountPrefix[] = "seals-";
constexpr std::size_t kRevisionAt = 1;  // docs/formats/custody.md

std::string PrefixOf(const Bytes& key_id) { return kCountPrefix + ToHex(key_id) + "-"; }

}  // namespace

std::string Custody::CountRow(const Bytes& key_id) const {
  return PrefixOf(key_id) + options_.node;
}

// What this node and what the others have reserved.
Result<std::pair<std::uint64_t, std::uint64_t>> Custody::StoredSeals(
    const store::ObjectReader& reader, const Bytes& key_id) const {
  std::pair<std::uint64_t, std::uint64_t> seals{0, 0};
  for (const std::string& row : TRY(reader.ListMeta(PrefixOf(key_id)))) {
    const Bytes content = TRY(ReadRow(reader, row));
    RowReader in(content);
    const std::uint64_t count = in.U64();
    TRY(in.End());
    (row == CountRow(key_id) ? seals.first : seals.second) += count;
  }
  return seals;
}

Result<void> Custody::BeginGroup(const store::Transaction& transaction) {
  const Bytes row = TRY(transaction.GetMeta(kRecordRow));
  if (row.size() < kRevisionAt + 8) {
    return Error(Code::kDamaged, "the custody record is cut off");
  }
  if (GetU64(row.data() + kRevisionAt) == revision_) return {};
  const CustodyRecord record = TRY(ReadChecked(row));
  // The transaction may have begun before another thread brought a newer one; whether the store was
  // put back is for Refresh to say.
  if (record.revision < revision_) {
    return Error(Code::kConflict, "the custody record was changed after the group began");
  }
  return Apply(record, 0);
}

Result<void> Custody::CountSeals(store::Transaction& transaction) {
  reserving_.clear();
  for (const std::shared_ptr<SealCount>& count : ring_.counts()) {
    const std::uint64_t reserve = count->ToReserve();
    if (reserve == 0) continue;
    RowWriter row;
    row.U64(reserve);
    TRY(PutRow(transaction, CountRow(count->key_id()), row.Take()));
    count->SetOthers(TRY(StoredSeals(transaction, count->key_id())).second);
    reserving_.emplace_back(count, reserve);
  }
  return {};
}

void Custody::GroupCommitted() {
  for (const auto& [count, reserved] : reserving_) count->Reserved(reserved);
  reserving_.clear();
}

Custody::Seals Custody::SealsOf(const Bytes& key_id) const {
  for (const std::shared_ptr<SealCount>& count : ring_.counts()) {
    if (count->key_id() == key_id) return {count->total(), count->most()};
  }
  const auto stored = StoredSeals(store_, key_id);
  return {stored ? stored->first + stored->second : 0, kNoLimit};
}

}  // namespace dare::custody
