#include "integrity/entry_check.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

namespace dare::integrity {
namespace {

constexpr std::size_t kPageEntries = 4096;
constexpr std::size_t kPageRows = 512;

Result<void> StopIf(const std::atomic<bool>* cancelled) {
  if (cancelled != nullptr && *cancelled) return Error(Code::kIo, "interrupted", EINTR);
  return {};
}

// `visit(entry)` for every entry of the index.
template <typename Visit>
Result<void> ForEachEntry(const store::WholeReader& snapshot, const std::atomic<bool>* cancelled,
                          Visit visit) {
  std::optional<store::PlacedEntry> from;
  do {
    TRY(StopIf(cancelled));
    store::EntryPage page = TRY(snapshot.ScanEntries(from, kPageEntries));
    for (const store::PlacedEntry& entry : page.items) TRY(visit(entry));
    from = std::move(page.next);
  } while (from);
  return {};
}

// An attribute's tag, and its value as far as a person can read it.
std::string Named(const store::PlacedEntry& entry) {
  char tag[32];
  std::snprintf(tag, sizeof tag, "0x%06llX", static_cast<unsigned long long>(entry.tag));
  std::string text = "index entry " + std::string(tag) + " '";
  for (const char c : entry.key.substr(0, 60)) text += c >= 0x20 && c < 0x7F ? c : '.';
  return text + "'";
}

bool HasSamePlace(const store::PlacedEntry& a, const store::PlacedEntry& b) {
  return a.tag == b.tag && a.key == b.key && a.scope == b.scope && a.slot == b.slot;
}

// The record at a place, as far as it can be read.
Result<std::optional<store::PlacedRecord>> RecordAt(const store::WholeReader& snapshot,
                                                    std::int64_t place) {
  if (place < 1) return std::optional<store::PlacedRecord>();
  auto page = TRY(snapshot.Scan(static_cast<std::uint64_t>(place) - 1, 1));
  if (page.items.empty() || page.items[0].place != static_cast<std::uint64_t>(place)) {
    return std::optional<store::PlacedRecord>();
  }
  return std::optional(std::move(page.items[0]));
}

// Is every entry of `placed` there?
Result<void> LookForEntries(const store::WholeReader& snapshot, const store::PlacedRecord& placed,
                            Findings& findings) {
  for (const store::IndexEntry& entry : placed.record.index) {
    const store::PlacedEntry wanted = PlaceEntry(entry, placed.place);
    const store::EntryPage page = TRY(snapshot.ScanEntries(wanted, 1));
    const store::PlacedEntry* found = page.items.empty() ? nullptr : &page.items[0];
    if (found == nullptr || !HasSamePlace(*found, wanted)) {
      findings.Add(Kind::kEntryMissing, placed.record.id,
                   Named(wanted) + " of this object is gone: it is not found by it");
    } else if (found->place != wanted.place) {
      findings.Add(Kind::kEntryElsewhere, placed.record.id,
                   Named(wanted) + " of this object leads to row " + std::to_string(found->place));
    }
  }
  return {};
}

Result<void> LookForRow(const store::WholeReader& snapshot, const store::PlacedEntry& entry,
                        Findings& findings) {
  const auto placed = TRY(RecordAt(snapshot, entry.place));
  if (!placed) {
    findings.Add(
        Kind::kEntryStray, "",
        Named(entry) + " leads to row " + std::to_string(entry.place) + ", which is not there");
    return {};
  }
  const auto holds = [&](const store::IndexEntry& held) {
    return PlaceEntry(held, placed->place) == entry;
  };
  if (placed->damage || std::ranges::any_of(placed->record.index, holds)) return {};
  findings.Add(Kind::kEntryStray, placed->record.id,
               Named(entry) + " leads to this object, which does not have it");
  return {};
}

}  // namespace

Result<engine::SumNumber> NumberOfEntry(const engine::Vault& vault,
                                        const store::PlacedEntry& entry) {
  Bytes content;
  const auto number = [&](std::uint64_t value) {
    std::uint8_t encoded[8];
    PutU64(encoded, value);
    Append(content, encoded);
  };
  number(static_cast<std::uint64_t>(entry.tag));
  number(entry.key.size());
  Append(content, AsBytes(entry.key));
  number(entry.scope.size());
  Append(content, AsBytes(entry.scope));
  number(static_cast<std::uint64_t>(entry.slot));
  number(static_cast<std::uint64_t>(entry.place));
  return engine::SumNumber::FromBytes(TRY(vault.Authenticate("dare-entry-sum-1", content)));
}

Result<std::uint64_t> CheckEntries(const store::WholeReader& snapshot, const engine::Vault& vault,
                                   std::uint64_t expected, const engine::SumNumber& expected_sum,
                                   const std::atomic<bool>* cancelled, Findings& findings) {
  std::uint64_t count = 0;
  engine::SumNumber sum;
  const auto add = [&](const store::PlacedEntry& entry) -> Result<void> {
    ++count;
    sum += TRY(NumberOfEntry(vault, entry));
    return {};
  };
  TRY(ForEachEntry(snapshot, cancelled, add));
  if (count == expected && sum == expected_sum) return count;

  std::uint64_t after = 0;
  do {
    TRY(StopIf(cancelled));
    const auto page = TRY(snapshot.Scan(after, kPageRows));
    for (const store::PlacedRecord& placed : page.items) {
      if (!placed.damage) TRY(LookForEntries(snapshot, placed, findings));
    }
    after = page.next;
  } while (after != 0);
  TRY(ForEachEntry(snapshot, cancelled, [&](const store::PlacedEntry& entry) {
    return LookForRow(snapshot, entry, findings);
  }));
  return count;
}

}  // namespace dare::integrity
