#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "crypto/authorities.h"
#include "server/issued_chain.h"
#include "server/revocation.h"

namespace dare::crypto {
struct RevocationList;
}

namespace dare::server {

struct TlsConfig;  // server/config.h

struct AuthorityListOptions {
  std::vector<std::string> files;        // each with one list in DER, or some in PEM
  std::vector<Bytes> authorities;        // certificates (DER) of those whose lists are believed
  Bytes own;                             // our own authority's certificate; empty: there is none
  bool refuse_stale = true;              // whose list has ended; else only what it revokes
  std::size_t most_entries = 4'000'000;  // on all lists in force
};

// AuthorityLists are the revocation lists of other authorities that are in force here. An
// operator's timer puts them into files; whoever owns this calls Look() again and again, away from
// handshakes, which reads a file when it has changed.
//
// A list comes into force when it is whole, signed by one of `authorities`, not of the future and
// not older than the one before. It stays in force for what it revokes until the next one comes,
// also past its end and when its file goes away or goes bad. Past its end nothing is known of the
// other certificates of its authority: with `refuse_stale` those are refused.
//
// A file that never gave what is in it since the start may be anybody's. Until it does, nothing is
// known of the certificates of authorities without a list. Certificates of our own authority are
// never refused for want of a list: our records tell of those.
//
// After a start the first list that is read counts, whatever was in force before it.
// Thread-safe. A list of a million certificates takes 22 MB, and for the time of reading it, some
// four times its file.
class AuthorityLists {
 public:
  static constexpr std::chrono::seconds kInterval{2};  // for whoever calls Look()

  // Looks for the first time; what is wrong with files is told, and no failure. kMalformed for
  // `authorities` that are no certificates.
  static Result<std::unique_ptr<AuthorityLists>> Open(AuthorityListOptions options,
                                                      const Clock& clock = SystemClock::Get());
  ~AuthorityLists();

  // Whose certificates an IssuedChain counts; constant.
  const crypto::Authorities& authorities() const { return authorities_; }

  void Look() EXCLUDES(looking_, mutex_);

  // Says of the whole chain what is worst of its certificates.
  Standing Judge(const IssuedChain& chain) const EXCLUDES(mutex_);
  // Changes with every answer of Judge, as far as time alone does not change them; that is seen by
  // the next Look().
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // What is wrong with files and lists, by the last Look(); empty: nothing.
  std::vector<std::string> Troubles() const EXCLUDES(looking_);
  // The same as yes or no, for /healthz; waits for nobody.
  bool good() const { return good_.load(std::memory_order_relaxed); }

 private:
  using List = crypto::RevocationList;
  // Tells one content of a file from another: device, inode, size, times.
  using Stamp = std::array<std::int64_t, 7>;
  struct File {
    std::string path;
    std::optional<Stamp> stamp;                   // of what was read last
    bool read_whole = false;                      // ever since the start
    std::string trouble;                          // empty: none
    std::chrono::steady_clock::time_point again;  // when one in trouble is read once more
  };
  // What is in force: never changed, only replaced.
  struct InForce {
    std::vector<std::shared_ptr<const List>> lists;  // of each authority; null: none
    bool complete = false;                           // each file was read whole once
    friend bool operator==(const InForce&, const InForce&) = default;
  };

  AuthorityLists(AuthorityListOptions options, const Clock& clock);
  static Result<Stamp> StampOf(const std::string& path);
  std::shared_ptr<const InForce> Current() const EXCLUDES(mutex_);
  void LookAt(File& file, InForce& next) REQUIRES(looking_);
  Result<void> TakeFrom(const std::string& path, InForce& next) REQUIRES(looking_);
  Result<void> Take(ByteView der, InForce& next) const;
  // Whether a list has ended, or began again, since the last time.
  bool NoteEnds(const InForce& next) REQUIRES(looking_);
  std::string Consequence() const;

  const AuthorityListOptions options_;
  const Clock& clock_;
  crypto::Authorities authorities_;  // constant after Open
  std::optional<std::size_t> own_;   // among them; likewise
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<bool> good_ = false;

  mutable Mutex looking_;
  std::vector<File> files_ GUARDED_BY(looking_);
  std::vector<bool> ended_ GUARDED_BY(looking_);  // of each authority: its list's end has passed

  mutable Mutex mutex_;
  std::shared_ptr<const InForce> in_force_ GUARDED_BY(mutex_);
};

// By the configuration; null where it names no files. kIo, kMalformed for certificates that cannot
// be read.
Result<std::unique_ptr<AuthorityLists>> LoadAuthorityLists(const TlsConfig& config,
                                                           const std::string& own_authority_file,
                                                           const Clock& clock = SystemClock::Get());

}  // namespace dare::server
