#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "custody/key_opener.h"
#include "custody/sealer_ring.h"
#include "store/object_store.h"

namespace dare::custody {

// A keyed check of `content` for one purpose, under the store's record key (engine/vault.h).
using Authenticator = std::function<Result<Bytes>(std::string_view purpose, ByteView content)>;

struct CustodyOptions {
  std::string node = "node";                   // whose seals are counted here
  SealingMode mode = SealingMode::kDirect;     // of a store that is new
  std::chrono::milliseconds patience{10'000};  // for one token
  // Keys that no HSM needs to open: out of a backup.
  std::vector<std::shared_ptr<hsm::Sealer>> at_hand;
  // The key that a new store begins with, where a ceremony made one.
  std::optional<CustodyKey> first;
};

// Custody knows which keys the store is sealed under, keeps them open in a ring, and brings changes
// of them (by this node, by another one, by a ceremony on the machine) into it. Its record is one
// row of the store under a keyed check; every change is a compare-and-swap of the whole row.
//
// Opening takes two steps, because the key of the check is itself sealed: Open reads the row and
// opens the keys it names, which proves itself by what only those keys open; Trust then checks the
// row. Thread-safe after Trust. Neither store nor clock is owned.
class Custody {
 public:
  // Where there is no row yet it is made: for the key that sealed the record key, or, in a new
  // store, for the tokens' master key or a new root key. kUnavailable when no HSM opens the current
  // key; kDamaged.
  static Result<std::unique_ptr<Custody>> Open(store::ObjectStore& store,
                                               std::shared_ptr<MasterKeys> tokens,
                                               CustodyOptions options, const Clock& clock);
  // kDamaged when the row is none that this store's record key made.
  Result<void> Trust(Authenticator authenticator);

  SealerRing& ring() { return ring_; }
  const KeyOpener& opener() const { return opener_; }
  store::ObjectStore& store() const { return store_; }
  const Clock& clock() const { return clock_; }
  const CustodyOptions& options() const { return options_; }
  CustodyRecord record() const EXCLUDES(mutex_);
  // Tokens that were of no use when keys were opened last.
  std::vector<TokenFailure> failures() const EXCLUDES(mutex_);

  // Changes the record as it is in the store then; `change` may be called again, when somebody else
  // was first, and its error leaves everything as it was. The ring follows.
  Result<void> Change(const std::function<Result<void>(CustodyRecord&)>& change);
  // Follows what others changed. kDamaged when the row is older than the one known here.
  Result<void> Refresh();

  // For the writer thread, around what a transaction does: first, so that it seals under the key
  // that is current; last, so that its seals are counted with it; and after the commit.
  Result<void> BeginGroup(const store::Transaction& transaction);
  Result<void> CountSeals(store::Transaction& transaction);
  void GroupCommitted();

  struct Seals {
    std::uint64_t made = 0;
    std::uint64_t most = kNoLimit;
  };
  // As far as this node knows.
  Seals SealsOf(const Bytes& key_id) const;

  // A row of custody's own under the keyed check, for what belongs to it (rotation_state.h).
  Result<Bytes> ReadRow(const store::ObjectReader& reader, const std::string& key) const;
  Result<void> PutRow(store::Transaction& transaction, const std::string& key,
                      ByteView content) const;

 private:
  Custody(store::ObjectStore& store, std::shared_ptr<MasterKeys> tokens, CustodyOptions options,
          const Clock& clock)
      : options_(std::move(options)),
        store_(store),
        clock_(clock),
        opener_(std::move(tokens), options_.patience) {}
  Result<CustodyRecord> FirstRecord();
  Result<CustodyRecord> NewStore();
  Result<CustodyRecord> KnownStore(ByteView record_key);
  Result<CustodyRecord> ReadChecked(ByteView row) const;
  Result<Bytes> CheckOf(std::string_view key, ByteView content) const;
  Result<void> SignFirst(const CustodyRecord& record);
  Result<void> Apply(const CustodyRecord& record, std::uint64_t known) EXCLUDES(apply_);
  Result<void> OpenInto(const CustodyKey& key);
  Result<void> FindKey(const Bytes& key_id);
  std::string CountRow(const Bytes& key_id) const;
  Result<std::pair<std::uint64_t, std::uint64_t>> StoredSeals(const store::ObjectReader& reader,
                                                              const Bytes& key_id) const;

  const CustodyOptions options_;
  store::ObjectStore& store_;
  const Clock& clock_;
  const KeyOpener opener_;
  SealerRing ring_;
  Authenticator authenticator_;  // constant after Trust

  Mutex apply_;  // one follows a change at a time
  std::atomic<std::uint64_t> revision_ = 0;
  mutable Mutex mutex_;
  CustodyRecord record_ GUARDED_BY(mutex_);
  std::vector<TokenFailure> failures_ GUARDED_BY(mutex_);
  std::vector<std::pair<std::shared_ptr<SealCount>, std::uint64_t>> reserving_;  // writer thread
};

// Rows of the record for keys that are new.
Result<CustodyKey> DescribeMaster(hsm::Sealer& master, KeyOrigin origin, const std::string& token,
                                  std::int64_t now);
Result<CustodyKey> DescribeRoot(const RootSealer& root, std::int64_t now);
// Drawn in the secure heap, with a new id.
Result<std::unique_ptr<RootSealer>> NewRootKey();

// What the store's record says of a key before anything can verify it: that takes the key itself,
// for whoever is about to put it into a token again. kConflict when it is not in the record.
Result<CustodyKey> FindUnverified(const store::ObjectReader& store, const Bytes& key_id);

}  // namespace dare::custody
