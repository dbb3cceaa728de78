#include "custody/custody.h"

#include <algorithm>

#include "base/log.h"
#include "crypto/random.h"
#include "custody/row_codec.h"
#include "hsm/sealed_record.h"

namespace dare::custody {
namespace {

constexpr char kRecordRow[] = "custody";
constexpr char kRecordKeyRow[] = "record-key";  // the vault's
constexpr std::string_view kPurpose = "dare-custody-1";
constexpr std::size_t kCheckBytes = 32;
constexpr int kMostAttempts = 10;

// The row's content, and its check: empty only in the row of a store that is new.
Result<ByteView> ContentOf(ByteView row) {
  if (row.size() <= kCheckBytes) return Error(Code::kDamaged, "the custody record is cut off");
  return row.first(row.size() - kCheckBytes);
}

bool IsUnsigned(ByteView row) {
  const ByteView check = row.last(kCheckBytes);
  return std::all_of(check.begin(), check.end(), [](std::uint8_t byte) { return byte == 0; });
}

Result<CustodyRecord> Decode(ByteView row) {
  const ByteView content = TRY(ContentOf(row));
  auto record = DecodeCustodyRecord(content);
  if (!record) return Error(Code::kDamaged, record.error().message);
  return record;
}

// The first change of a store has no key yet to be checked with.
Bytes UnsignedRow(const CustodyRecord& record) {
  Bytes row = Encode(record);
  row.resize(row.size() + kCheckBytes);
  return row;
}

Result<std::uint8_t> MechanismOf(hsm::Sealer& sealer) {
  constexpr std::string_view kProbe = "dare-custody-probe-1";
  const Bytes sealed = TRY(sealer.Seal(AsBytes(kProbe), AsBytes(kProbe)));
  return sealed[1];
}

}  // namespace

Result<CustodyKey> DescribeMaster(hsm::Sealer& master, KeyOrigin origin, const std::string& token,
                                  std::int64_t now) {
  const hsm::SealerInfo info = master.info();
  CustodyKey key;
  key.id = info.key_id;
  key.kind = KeyKind::kMaster;
  key.origin = origin;
  key.mechanism = TRY(MechanismOf(master));
  key.label = info.key_label;
  key.check_value = info.check_value;
  key.created = now;
  key.holders.push_back({token, {}, {}});
  return key;
}

Result<CustodyKey> DescribeRoot(const RootSealer& root, std::int64_t now) {
  CustodyKey key;
  key.id = root.info().key_id;
  key.kind = KeyKind::kRoot;
  key.mechanism = hsm::kRecordUnderRootKey;
  key.label = root.info().key_label;
  key.check_value = root.info().check_value;
  key.created = now;
  return key;
}

Result<std::unique_ptr<RootSealer>> NewRootKey() {
  Bytes id(hsm::kMasterKeyIdBytes);
  TRY(crypto::RandomBytes(id));
  return RootSealer::Make(std::move(id), TRY(SecretBytes::Random(kRootKeyBytes)));
}

Result<CustodyRecord> Custody::KnownStore(ByteView record_key) {
  const Bytes id = TRY(hsm::KeyIdOf(record_key));
  CustodyRecord record;
  std::string why;
  for (const std::string& token : opener_.tokens().tokens()) {
    const auto master = opener_.OpenMaster(token, id);
    if (!master) {
      why += (why.empty() ? "" : "; ") + token + ": " + master.error().message;
      continue;
    }
    if (record.keys.empty()) {
      record.keys.push_back(TRY(DescribeMaster(**master, KeyOrigin::kToken, token, clock_.Now())));
    } else {
      record.keys.front().holders.push_back({token, {}, {}});
    }
  }
  if (!record.keys.empty()) return record;
  return Error(Code::kUnavailable,
               "no HSM opens the key " + ToHex(id) + " that seals the store (" + why + ")");
}

Result<CustodyRecord> Custody::NewStore() {
  CustodyRecord record;
  record.mode = options_.mode;
  if (options_.first) {
    record.keys.push_back(*options_.first);
    return record;
  }
  std::unique_ptr<RootSealer> root;
  if (options_.mode == SealingMode::kRoot) {
    root = TRY(NewRootKey());
    record.keys.push_back(TRY(DescribeRoot(*root, clock_.Now())));
  }
  std::string why;
  for (const std::string& token : opener_.tokens().tokens()) {
    const auto holder = [&]() -> Result<void> {
      if (root != nullptr) {
        record.keys.front().holders.push_back(TRY(opener_.Wrap(token, {}, *root)));
      } else if (record.keys.empty()) {
        const auto master = TRY(opener_.OpenMaster(token, {}));
        record.keys.push_back(TRY(DescribeMaster(*master, KeyOrigin::kToken, token, clock_.Now())));
      } else {  // further tokens hold the same key, or another one that is no business of ours
        TRY(opener_.OpenMaster(token, record.keys.front().id));
        record.keys.front().holders.push_back({token, {}, {}});
      }
      return {};
    }();
    if (holder) continue;
    log::Warning("HSM " + token + " holds no key of the new store: " + holder.error().message);
    why += (why.empty() ? "" : "; ") + token + ": " + holder.error().message;
  }
  if (!record.keys.empty() && !record.keys.front().holders.empty()) return record;
  return Error(Code::kUnavailable, "no HSM can hold the new store's key (" + why + ")");
}

Result<CustodyRecord> Custody::FirstRecord() {
  const Result<Bytes> record_key = store_.GetMeta(kRecordKeyRow);
  if (!record_key && record_key.error().code != Code::kNotFound) return record_key.error();
  CustodyRecord record = record_key ? TRY(KnownStore(*record_key)) : TRY(NewStore());
  record.revision = 1;
  const auto transaction = TRY(store_.Begin());
  const Result<Bytes> there = transaction->GetMeta(kRecordRow);
  if (there) return Decode(*there);  // another node was first
  if (there.error().code != Code::kNotFound) return there.error();
  TRY(transaction->PutMeta(kRecordRow, UnsignedRow(record)));
  TRY(transaction->Commit());
  return record;
}

Result<std::unique_ptr<Custody>> Custody::Open(store::ObjectStore& store,
                                               std::shared_ptr<MasterKeys> tokens,
                                               CustodyOptions options, const Clock& clock) {
  std::unique_ptr<Custody> custody(
      new Custody(store, std::move(tokens), std::move(options), clock));
  const auto row = store.GetMeta(kRecordRow);
  if (!row && row.error().code != Code::kNotFound) return row.error();
  Result<CustodyRecord> record = row ? Decode(*row) : custody->FirstRecord();
  // Two nodes that begin together: the second one begins again.
  if (!record && record.error().code == Code::kConflict) {
    record = Decode(TRY(store.GetMeta(kRecordRow)));
  }
  if (!record) return record.error();
  TRY(custody->Apply(*record, 0));
  custody->ring_.SetFinder([self = custody.get()](const Bytes& id) { return self->FindKey(id); });
  return custody;
}

Result<void> Custody::Trust(Authenticator authenticator) {
  authenticator_ = std::move(authenticator);
  const Bytes row = TRY(store_.GetMeta(kRecordRow));
  if (IsUnsigned(row)) {
    const CustodyRecord first = TRY(Decode(row));
    TRY(SignFirst(first));
  } else {
    TRY(ReadChecked(row));
  }
  for (const std::shared_ptr<SealCount>& count : ring_.counts()) {
    const auto [own, others] = TRY(StoredSeals(store_, count->key_id()));
    count->Learn(own, others);
  }
  return Refresh();
}

// A record without a check says no more than what could be told from the record key alone.
Result<void> Custody::SignFirst(const CustodyRecord& record) {
  const Bytes record_key = TRY(store_.GetMeta(kRecordKeyRow));
  if (record.revision != 1 || record.keys.size() != 1 ||
      record.keys.front().id != TRY(hsm::KeyIdOf(record_key))) {
    return Error(Code::kDamaged, "the custody record does not authenticate");
  }
  const auto transaction = TRY(store_.Begin());
  if (TRY(transaction->GetMeta(kRecordRow)) != UnsignedRow(record)) return {};  // another node
  TRY(PutRow(*transaction, kRecordRow, Encode(record)));
  const Result<void> committed = transaction->Commit();
  // Another node that signs the same gives the same.
  if (!committed && committed.error().code != Code::kConflict) return committed.error();
  return {};
}

Result<CustodyRecord> Custody::ReadChecked(ByteView row) const {
  const ByteView content = TRY(ContentOf(row));
  if (!EqualInConstantTime(TRY(CheckOf(kRecordRow, content)), row.last(kCheckBytes))) {
    return Error(Code::kDamaged, "the custody record does not authenticate");
  }
  return Decode(row);
}

// No row passes for another one.
Result<Bytes> Custody::CheckOf(std::string_view key, ByteView content) const {
  RowWriter named;
  named.Text(std::string(key));
  Bytes bytes = named.Take();
  Append(bytes, content);
  return authenticator_(kPurpose, bytes);
}

Result<Bytes> Custody::ReadRow(const store::ObjectReader& reader, const std::string& key) const {
  const Bytes row = TRY(reader.GetMeta(key));
  const ByteView content = TRY(ContentOf(row));
  if (!EqualInConstantTime(TRY(CheckOf(key, content)), ByteView(row).last(kCheckBytes))) {
    return Error(Code::kDamaged, "the store's row '" + key + "' does not authenticate");
  }
  return ToBytes(content);
}

Result<void> Custody::PutRow(store::Transaction& transaction, const std::string& key,
                             ByteView content) const {
  Bytes row = ToBytes(content);
  Append(row, TRY(CheckOf(key, content)));
  return transaction.PutMeta(key, row);
}

CustodyRecord Custody::record() const {
  const MutexLock lock(mutex_);
  return record_;
}

std::vector<TokenFailure> Custody::failures() const {
  const MutexLock lock(mutex_);
  return failures_;
}

Result<void> Custody::Change(const std::function<Result<void>(CustodyRecord&)>& change) {
  for (int attempt = 0;; ++attempt) {
    const std::uint64_t known = revision_;
    const auto attempted = [&]() -> Result<CustodyRecord> {
      const auto transaction = TRY(store_.Begin());
      const Bytes row = TRY(transaction->GetMeta(kRecordRow));
      CustodyRecord record = TRY(ReadChecked(row));
      if (record.revision < known) {
        return Error(Code::kDamaged, "the custody record in the store is older than it was");
      }
      if (Result<void> changed = change(record); !changed) return changed.error();
      ++record.revision;
      TRY(CheckWhole(record));
      TRY(PutRow(*transaction, kRecordRow, Encode(record)));
      TRY(transaction->Commit());
      return record;
    }();
    if (attempted) return Apply(*attempted, known);
    if (attempted.error().code != Code::kConflict || attempt == kMostAttempts) {
      return attempted.error();
    }
  }
}

Result<void> Custody::Refresh() {
  const std::uint64_t known = revision_;
  const Bytes row = TRY(store_.GetMeta(kRecordRow));
  const CustodyRecord record = TRY(ReadChecked(row));
  return Apply(record, known);
}

// Brings ring and counts to what `record` says, which was read when the revision `known` was in
// use.
Result<void> Custody::Apply(const CustodyRecord& record, std::uint64_t known) {
  const MutexLock lock(apply_);
  if (record.revision < known) {
    return Error(Code::kDamaged,
                 "the custody record in the store (revision " + std::to_string(record.revision) +
                     ") is older than the one in use (" + std::to_string(known) + ")");
  }
  // Somebody else brought a newer one since it was read.
  if (record.revision <= revision_) return {};
  for (const CustodyKey& key : record.keys) {
    if (key.state > KeyState::kRetiring || ring_.Has(key.id)) continue;
    const Result<void> opened = OpenInto(key);
    if (opened) continue;
    if (key.state == KeyState::kCurrent) return opened.error();
    log::Failure("a key of the store does not open: " + opened.error().message);
  }
  TRY(ring_.SetCurrent(record.current().id));
  for (const CustodyKey& key : record.keys) {
    if (key.state > KeyState::kRetiring) ring_.Remove(key.id);
  }
  {
    const MutexLock state(mutex_);
    record_ = record;
  }
  revision_ = record.revision;
  return {};
}

Result<void> Custody::OpenInto(const CustodyKey& key) {
  std::vector<TokenFailure> failures;
  const auto at_hand = std::ranges::find_if(
      options_.at_hand, [&](const auto& sealer) { return sealer->info().key_id == key.id; });
  auto sealer = at_hand != options_.at_hand.end() ? Result<std::shared_ptr<hsm::Sealer>>(*at_hand)
                                                  : opener_.Open(key, failures);
  {
    const MutexLock state(mutex_);
    failures_ = failures;
  }
  if (!sealer) return sealer.error();
  for (const TokenFailure& failure : failures) {
    log::Warning("HSM " + failure.token + " is of no use for key " + ToHex(key.id) + ": " +
                 failure.error.message);
  }
  const std::uint64_t most = key.mechanism == hsm::kRecordAesGcm ? kMostGcmSeals : kNoLimit;
  auto count = std::make_shared<SealCount>(key.id, most);
  if (authenticator_) {
    const auto [own, others] = TRY(StoredSeals(store_, key.id));
    count->Learn(own, others);
  }
  ring_.Put({*std::move(sealer), std::move(count)});
  return {};
}

// For a record under a key that the ring does not have: made by another node a moment ago, or
// retired here while a backup was put back there.
Result<void> Custody::FindKey(const Bytes& key_id) {
  if (!authenticator_) return {};  // no other row can be believed yet
  TRY(Refresh());
  const CustodyRecord record = this->record();
  const CustodyKey* const key = record.Find(key_id);
  if (key == nullptr || ring_.Has(key_id)) return {};
  if (key->state == KeyState::kDestroyed) {
    return Error(Code::kNotFound,
                 "the record is sealed under key " + ToHex(key_id) + ", which was destroyed");
  }
  return OpenInto(*key);
}

Result<CustodyKey> FindUnverified(const store::ObjectReader& store, const Bytes& key_id) {
  const Bytes row = TRY(store.GetMeta(kRecordRow));
  const CustodyRecord record = TRY(Decode(row));
  const CustodyKey* const key = record.Find(key_id);
  if (key == nullptr) {
    return Error(Code::kConflict,
                 "the store knows no key " + ToHex(key_id) + ", of which this is a backup");
  }
  return *key;
}

}  // namespace dare::custody
