#include "server/authority_lists.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "crypto/certificate.h"
#include "crypto/revocation_list.h"
#include "server/config.h"

namespace dare::server {
namespace {

constexpr std::size_t kLargestFile = 2 * crypto::kMostListBytes;  // PEM takes a third more
constexpr std::int64_t kClockSkew = 300;                          // of an authority's clock
constexpr std::chrono::seconds kRetry{60};  // a file in trouble that did not change

Result<std::vector<Bytes>> CertificatesIn(const std::string& path) {
  const Bytes pem = TRY(ReadFile(path));
  Result<std::vector<Bytes>> read = crypto::ParseCertificatesPem(pem);
  if (!read) return read.error().In(path);
  return read;
}

}  // namespace

AuthorityLists::AuthorityLists(AuthorityListOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

AuthorityLists::~AuthorityLists() = default;

Result<std::unique_ptr<AuthorityLists>> AuthorityLists::Open(AuthorityListOptions options,
                                                             const Clock& clock) {
  std::unique_ptr<AuthorityLists> lists(new AuthorityLists(std::move(options), clock));
  for (const Bytes& certificate : lists->options_.authorities) {
    TRY(lists->authorities_.Add(certificate));
  }
  if (!lists->options_.own.empty()) lists->own_ = TRY(lists->authorities_.Add(lists->options_.own));
  {
    const MutexLock looking(lists->looking_);
    for (const std::string& path : lists->options_.files) lists->files_.push_back({.path = path});
    lists->ended_.resize(lists->authorities_.size());
    InForce none;
    none.lists.resize(lists->authorities_.size());
    const MutexLock lock(lists->mutex_);
    lists->in_force_ = std::make_shared<const InForce>(std::move(none));
  }
  lists->Look();
  return lists;
}

std::shared_ptr<const AuthorityLists::InForce> AuthorityLists::Current() const {
  const MutexLock lock(mutex_);
  return in_force_;
}

Standing AuthorityLists::Judge(const IssuedChain& chain) const {
  const std::shared_ptr<const InForce> now = Current();
  const std::int64_t time = clock_.Now();
  bool lacking = false, ours = false;
  for (const IssuedChain::Link& link : chain.links) {
    ours = ours || (own_ && link.issuer == own_);
    const List* list =
        link.issuer && *link.issuer < now->lists.size() ? now->lists[*link.issuer].get() : nullptr;
    if (list == nullptr) {
      lacking = lacking || !now->complete;
      continue;
    }
    if (list->revoked.Contains(link.serial)) return Standing::kRevoked;
    lacking = lacking || list->next_update < time;
  }
  return lacking && !ours && options_.refuse_stale ? Standing::kNotKnown : Standing::kGood;
}

void AuthorityLists::Look() {
  const MutexLock looking(looking_);
  const std::shared_ptr<const InForce> before = Current();
  InForce next = *before;
  for (File& file : files_) LookAt(file, next);
  next.complete = std::ranges::all_of(files_, &File::read_whole);
  bool changed = NoteEnds(next);
  if (next != *before) {
    changed = true;
    auto replacement = std::make_shared<const InForce>(std::move(next));
    const MutexLock lock(mutex_);
    in_force_ = std::move(replacement);
  }
  good_ = std::ranges::all_of(files_, [](const File& file) { return file.trouble.empty(); }) &&
          std::ranges::none_of(ended_, [](bool ended) { return ended; });
  if (changed) generation_.fetch_add(1, std::memory_order_release);
}

Result<AuthorityLists::Stamp> AuthorityLists::StampOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return IoError("cannot open " + path, errno);
  // A pipe would hold up all other files.
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, path + " is not a regular file");
  }
  return Stamp{static_cast<std::int64_t>(status.st_dev),
               static_cast<std::int64_t>(status.st_ino),
               status.st_size,
               status.st_mtim.tv_sec,
               status.st_mtim.tv_nsec,
               status.st_ctim.tv_sec,
               status.st_ctim.tv_nsec};
}

void AuthorityLists::LookAt(File& file, InForce& next) {
  // Before the content: what is written meanwhile is seen the next time.
  const Result<Stamp> stamp = StampOf(file.path);
  const bool same = stamp && file.stamp == *stamp;
  if (same && (file.trouble.empty() || clock_.Steady() < file.again)) return;
  file.again = clock_.Steady() + kRetry;
  file.stamp.reset();
  if (stamp) file.stamp = *stamp;
  const Result<void> taken = stamp ? TakeFrom(file.path, next) : stamp.error();
  file.read_whole = file.read_whole || taken.has_value();
  std::string trouble = taken ? std::string() : taken.error().message;
  if (trouble != file.trouble && !trouble.empty()) {
    log::Failure("a revocation list was not taken, what is in force stays: " + trouble);
  }
  file.trouble = std::move(trouble);
}

Result<void> AuthorityLists::TakeFrom(const std::string& path, InForce& next) {
  Bytes content = TRY(ReadFile(path, kLargestFile));
  const Result<std::vector<Bytes>> lists = crypto::RevocationListsIn(std::move(content));
  if (!lists) return lists.error().In(path);
  // One that is refused does not keep out the others in the file.
  std::optional<Error> refused;
  for (const Bytes& der : *lists) {
    const Result<void> taken = Take(der, next);
    if (!taken && !refused) refused = taken.error().In(path);
  }
  if (refused) return std::move(*refused);
  return {};
}

Result<void> AuthorityLists::Take(ByteView der, InForce& next) const {
  crypto::UnverifiedRevocationList read = TRY(crypto::ReadRevocationList(der));
  const std::size_t signer = TRY(authorities_.SignerOf(read));
  const std::string name = "the list of '" + read.says.issuer + "'";
  if (read.says.this_update > clock_.Now() + kClockSkew) {
    return Error(Code::kDenied, name + " is of the future");
  }
  std::shared_ptr<const List>& place = next.lists[signer];
  if (place != nullptr && *place == read.says) return {};
  if (place != nullptr && read.says.IsOlderThan(*place)) {
    return Error(Code::kDenied, name + " is older than the one in force");
  }
  std::size_t entries = read.says.revoked.size();
  for (const std::shared_ptr<const List>& list : next.lists) {
    if (list != nullptr && list != place) entries += list->revoked.size();
  }
  if (entries > options_.most_entries) {
    return Error(Code::kTooLarge, name + " would make them more than " +
                                      std::to_string(options_.most_entries) + " entries in all");
  }
  log::Info(name + " is in force: " + std::to_string(read.says.revoked.size()) + " certificates");
  place = std::make_shared<const List>(std::move(read.says));
  return {};
}

std::string AuthorityLists::Consequence() const {
  return options_.refuse_stale ? "clients of that authority are refused until there is a newer one"
                               : "it counts only for what it revokes until there is a newer one";
}

bool AuthorityLists::NoteEnds(const InForce& next) {
  const std::int64_t time = clock_.Now();
  bool changed = false;
  for (std::size_t i = 0; i < next.lists.size(); ++i) {
    const bool ended = next.lists[i] != nullptr && next.lists[i]->next_update < time;
    if (ended == ended_[i]) continue;
    ended_[i] = ended;
    changed = true;
    if (ended) {
      log::Failure("the revocation list of '" + next.lists[i]->issuer +
                   "' has ended: " + Consequence());
    }
  }
  return changed;
}

std::vector<std::string> AuthorityLists::Troubles() const {
  const MutexLock looking(looking_);
  std::vector<std::string> troubles;
  for (const File& file : files_) {
    if (!file.trouble.empty()) troubles.push_back(file.trouble);
  }
  const std::shared_ptr<const InForce> now = Current();
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    if (!ended_[i]) continue;
    troubles.push_back("the revocation list of '" + now->lists[i]->issuer + "' has ended");
  }
  return troubles;
}

Result<std::unique_ptr<AuthorityLists>> LoadAuthorityLists(const TlsConfig& config,
                                                           const std::string& own_authority_file,
                                                           const Clock& clock) {
  if (config.crl_files.empty()) return std::unique_ptr<AuthorityLists>();
  AuthorityListOptions options;
  options.files = config.crl_files;
  options.refuse_stale = config.crl_stale == "refuse";
  options.authorities = TRY(CertificatesIn(config.client_ca_file));
  if (!config.crl_issuers_file.empty()) {
    std::vector<Bytes> more = TRY(CertificatesIn(config.crl_issuers_file));
    std::ranges::move(more, std::back_inserter(options.authorities));
  }
  if (!own_authority_file.empty()) {
    std::vector<Bytes> own = TRY(CertificatesIn(own_authority_file));
    options.own = std::move(own.front());
  }
  return AuthorityLists::Open(std::move(options), clock);
}

}  // namespace dare::server
