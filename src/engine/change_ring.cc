#include "engine/change_ring.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "kmip/tags.h"
#include "store/object_store.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::Tag;

constexpr std::string_view kPrefix = "changes/";
constexpr std::size_t kPageRows = 256;

// Tags of our own range, for the members of a row.
constexpr auto kNumber = static_cast<Tag>(0x54DA21);
constexpr auto kTooMany = static_cast<Tag>(0x54DA22);
constexpr auto kChange = static_cast<Tag>(0x54DA23);
constexpr auto kOwner = static_cast<Tag>(0x54DA24);
constexpr auto kChanged = static_cast<Tag>(0x54DA25);
constexpr auto kRemoved = static_cast<Tag>(0x54DA26);
constexpr auto kTag = static_cast<Tag>(0x54DA27);
constexpr auto kVendor = static_cast<Tag>(0x54DA28);
constexpr auto kName = static_cast<Tag>(0x54DA29);

std::string PrefixOf(const std::string& node) { return std::string(kPrefix) + node + "/"; }

std::string KeyOf(const std::string& node, std::uint64_t number) {
  return PrefixOf(node) + std::to_string(number % ChangeRing::kSlots);
}

void WriteChange(ttlv::Writer& out, const ObjectChange& change) {
  out.Structure(kChange, [&] {
    out.Text(kOwner, change.owner);
    out.Text(Tag::kUniqueIdentifier, change.id);
    out.Integer(Tag::kProtocolVersionMajor, change.version.major);
    out.Integer(Tag::kProtocolVersionMinor, change.version.minor);
    // A hash of a short secret would let it be guessed: the store sees none (record.md).
    kmip::AttributeSet changed = change.changed;
    changed.RemoveAll(Tag::kDigest);
    out.ByteString(kChanged, changed.Serialize());
    for (const kmip::AttributeReference& reference : change.removed) {
      out.Structure(kRemoved, [&] {
        out.Integer(kTag, static_cast<std::int32_t>(reference.tag));
        out.Text(kVendor, reference.vendor);
        out.Text(kName, reference.name);
      });
    }
  });
}

WipingBytes Encode(std::uint64_t number, const std::vector<const ObjectChange*>& changes) {
  ttlv::Writer out;
  out.LongInteger(kNumber, static_cast<std::int64_t>(number));
  const std::size_t empty = out.bytes().size();
  for (const ObjectChange* change : changes) {
    WriteChange(out, *change);
    if (out.bytes().size() <= ChangeRing::kMostRowBytes) continue;
    out.Truncate(empty);
    out.Boolean(kTooMany, true);
    break;
  }
  return out.Take();
}

Result<ObjectChange> ReadChange(ttlv::Reader in) {
  ObjectChange change;
  change.owner = TRY(in.Text(kOwner));
  change.id = TRY(in.Text(Tag::kUniqueIdentifier));
  change.version.major = TRY(in.Integer(Tag::kProtocolVersionMajor));
  change.version.minor = TRY(in.Integer(Tag::kProtocolVersionMinor));
  const ByteView changed = TRY(in.ByteString(kChanged));
  change.changed = TRY(kmip::AttributeSet::Parse(changed));
  while (in.At(kRemoved)) {
    ttlv::Reader removed = TRY(in.Structure(kRemoved));
    kmip::AttributeReference reference;
    reference.tag = static_cast<Tag>(TRY(removed.Integer(kTag)));
    reference.vendor = TRY(removed.Text(kVendor));
    reference.name = TRY(removed.Text(kName));
    TRY(removed.End());
    change.removed.push_back(std::move(reference));
  }
  TRY(in.End());
  return change;
}

Result<ChangeRing::Row> Decode(const Vault& vault, const std::string& key, ByteView kept) {
  const auto content = TRY(OpenGuarded(vault, key, kept));
  if (!content) return Error(Code::kDamaged, "the fact " + key + " does not authenticate");
  ttlv::Reader in = ttlv::Reader::Members(*content);
  ChangeRing::Row row;
  row.number = static_cast<std::uint64_t>(TRY(in.LongInteger(kNumber)));
  row.whole = !TRY(in.OptionalBoolean(kTooMany)).value_or(false);
  while (in.At(kChange)) {
    const ttlv::Reader change = TRY(in.Structure(kChange));
    row.changes.push_back(TRY(ReadChange(change)));
  }
  TRY(in.End());
  return row;
}

// Of a row that is damaged nothing is taken, and whoever wrote it must be able to go on.
std::uint64_t NumberOf(const Vault& vault, const std::string& key, ByteView kept) {
  const Result<ChangeRing::Row> row = Decode(vault, key, kept);
  if (!row) log::Failure("the store's " + key + " is damaged: " + row.error().message);
  return row ? row->number : 0;
}

Result<std::uint64_t> LastNumber(const store::ObjectReader& store, const Vault& vault,
                                 const std::string& node) {
  std::uint64_t last = 0;
  for (const std::string& key : TRY(store.ListMeta(PrefixOf(node)))) {
    const Bytes kept = TRY(store.GetMeta(key));
    last = std::max(last, NumberOf(vault, key, kept));
  }
  return last;
}

}  // namespace

Result<void> ChangeRing::Put(store::Transaction& transaction,
                             const std::vector<const ObjectChange*>& changes) {
  put_ = false;
  if (changes.empty()) return {};
  if (!next_) next_ = TRY(LastNumber(transaction, vault_, node_)) + 1;
  const std::string key = KeyOf(node_, *next_);
  const Bytes row = TRY(Guard(vault_, key, Encode(*next_, changes)));
  put_ = true;
  return transaction.PutMeta(key, row);
}

void ChangeRing::Ended(const Result<void>& committed) {
  if (!std::exchange(put_, false)) return;
  if (committed) {
    ++*next_;
  } else if (committed.error().code != Code::kConflict) {
    next_.reset();
  }
}

Result<std::optional<ChangeRing::Row>> ChangeRing::Read(const store::ObjectReader& store,
                                                        const Vault& vault, const std::string& node,
                                                        std::uint64_t number) {
  const std::string key = KeyOf(node, number);
  const Result<Bytes> kept = store.GetMeta(key);
  if (!kept && kept.error().code == Code::kNotFound) return std::optional<Row>();
  if (!kept) return kept.error();
  Row row = TRY(Decode(vault, key, *kept));
  return row.number < number ? std::optional<Row>() : std::optional<Row>(std::move(row));
}

Result<std::map<std::string, std::uint64_t>> ChangeRing::Next(const store::WholeReader& store,
                                                              const Vault& vault) {
  std::map<std::string, std::uint64_t> next;
  std::string after;
  for (;;) {
    const std::vector<store::MetaRow> page =
        TRY(store.ScanMeta(std::string(kPrefix), after, kPageRows));
    for (const store::MetaRow& row : page) {
      const std::string node = row.key.substr(kPrefix.size(), row.key.rfind('/') - kPrefix.size());
      std::uint64_t& of_node = next[node];
      of_node = std::max(of_node, NumberOf(vault, row.key, row.value) + 1);
    }
    if (page.size() < kPageRows) return next;
    after = page.back().key;
  }
}

bool ChangeRing::IsRow(std::string_view key) { return key.starts_with(kPrefix); }

bool ChangeRing::CheckRow(const Vault& vault, const std::string& key, ByteView row) {
  return Decode(vault, key, row).has_value();
}

}  // namespace dare::engine
