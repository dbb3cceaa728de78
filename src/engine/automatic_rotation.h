#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "store/object_store.h"

namespace dare::engine {

struct Caller;
class Completion;
class Doorkeeper;
class Vault;

struct RotationOptions {
  std::chrono::seconds look_every{0};     // 0: nothing is rotated by itself
  std::uint32_t shortest_seconds = 3600;  // an object becomes so old at least, whatever it asks for
};

// Replaces objects whose Rotate Interval has passed (rotation_rule.h) by the operation that a
// client would ask for, as a message of the server's own: it is answered, committed and audited as
// any. Whoever arranged for it was allowed to then, so nobody is asked now; but it stands behind
// the seal of a store, as everybody does. Of several nodes on one store each looks, and the
// operation itself refuses what another one, or a client, has replaced meanwhile. What could not be
// replaced is tried again after an hour. Belongs to one thread. Borrows its parts.
class AutomaticRotation {
 public:
  // Takes a message as clients bring it.
  using Submit =
      std::function<void(WipingBytes, std::shared_ptr<const Caller>, std::unique_ptr<Completion>)>;

  AutomaticRotation(const store::ObjectStore& store, const Vault& vault, const Clock& clock,
                    const RotationOptions& options, Submit submit,
                    Doorkeeper* doorkeeper = nullptr);  // null: the store is never sealed

  // Replaces everything that is due, a few at a time between the clients' requests, and gives how
  // many objects were. Ends early, with what is under way, once `stopping` or the store is sealed.
  // After a look that took long, calls do nothing for a while. An Error when the store cannot be
  // read.
  Result<std::size_t> Look(const std::function<bool()>& stopping);

  static constexpr char kPrincipal[] = "dare-kms";  // in the audit log
  static constexpr char kRule[] = "automatic rotation";

 private:
  // Objects of one owner with one interval.
  struct Line {
    std::string key;
    std::string owner;
    std::uint32_t interval = 0;
  };
  struct Due {
    std::string id;
    WipingBytes request;
    bool of_pair = false;
  };

  Result<std::optional<Line>> NextLine(std::optional<store::PlacedEntry>& from) const;
  Result<std::size_t> RotateLine(const Line& line, const std::function<bool()>& ends);
  // The request that replaces it; nothing where it is not due.
  std::optional<Due> Examine(const std::string& id);
  // How many of them were replaced.
  std::size_t Rotate(std::vector<Due> due);
  void NoteFailure(const std::string& id, const std::string& why);

  const store::ObjectStore& store_;
  const Vault& vault_;
  const Clock& clock_;
  const RotationOptions options_;
  const Submit submit_;
  Doorkeeper* const doorkeeper_;
  const std::shared_ptr<const Caller> caller_;
  std::unordered_map<std::string, std::int64_t> not_before_;  // POSIX seconds, of what failed
  std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace dare::engine
