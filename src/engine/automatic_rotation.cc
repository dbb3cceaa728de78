#include "engine/automatic_rotation.h"

#include <algorithm>
#include <future>
#include <limits>
#include <utility>

#include "base/log.h"
#include "engine/caller.h"
#include "engine/doorkeeper.h"
#include "engine/group_commit.h"
#include "engine/rotation_rule.h"
#include "engine/vault.h"
#include "kmip/message.h"
#include "kmip/payloads/re_certify.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/re_key_key_pair.h"
#include "kmip/single_request.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Tag;

constexpr auto kTag = static_cast<std::uint32_t>(Tag::kRotateInterval);
constexpr std::size_t kTogether = 16;     // in one group of the writer's
constexpr std::size_t kPage = 256;        // objects looked at together
constexpr std::int64_t kTryAgain = 3600;  // seconds
constexpr std::size_t kMostFailed = 100'000;
constexpr int kRestAfterLook = 20;                             // times as long as the look took
constexpr kmip::ProtocolVersion kVersion = kmip::kVersion2_1;  // the first that knows rotations

std::shared_ptr<const Caller> TheServer() {
  Caller caller;
  caller.principal.name = AutomaticRotation::kPrincipal;
  caller.is_server = true;
  return std::make_shared<const Caller>(std::move(caller));
}

template <typename Request>
WipingBytes RequestFor(const StoredObject& stored) {
  Request request;
  request.id = kmip::Identifier(stored.object.id);
  //= kmip-2.1 4.54 Rotate Offset
  //# When automatic rotation of the Managed Object is performed by the server, specifies the Offset
  //# value to use
  if (const auto* const offset = stored.object.attributes.Find(Tag::kRotateOffset)) {
    if (const auto seconds = offset->View().AsInterval()) request.offset = *seconds;
  }
  return kmip::SingleRequest(request, kVersion);
}

class Waiting : public Completion {
 public:
  void Done(WipingBytes answer) override { answer_.set_value(std::move(answer)); }
  std::future<WipingBytes> answer() { return answer_.get_future(); }

 private:
  std::promise<WipingBytes> answer_;
};

// Nothing where it was done; else why not.
std::optional<std::string> Refusal(ByteView answer) {
  auto message = kmip::ResponseMessage::Open(answer);
  if (!message) return message.error().message;
  const auto item = message->Next();
  if (!item) return item.error().message;
  if (item->status == kmip::ResultStatus::kSuccess) return std::nullopt;
  return item->message;
}

}  // namespace

AutomaticRotation::AutomaticRotation(const store::ObjectStore& store, const Vault& vault,
                                     const Clock& clock, const RotationOptions& options,
                                     Submit submit, Doorkeeper* doorkeeper)
    : store_(store),
      vault_(vault),
      clock_(clock),
      options_(options),
      submit_(std::move(submit)),
      doorkeeper_(doorkeeper),
      caller_(TheServer()) {}

Result<std::size_t> AutomaticRotation::Look(const std::function<bool()>& stopping) {
  const auto ends = [&] {
    return stopping() ||
           (doorkeeper_ != nullptr && doorkeeper_->Refuses(caller_->principal).has_value());
  };
  const auto begun = clock_.Steady();
  if (begun < next_look_) return std::size_t{0};
  const std::int64_t now = clock_.Now();
  std::erase_if(not_before_, [now](const auto& failed) { return failed.second <= now; });
  std::size_t rotated = 0;
  std::optional<store::PlacedEntry> from = store::PlacedEntry{.tag = kTag, .key = {}, .scope = {}};
  while (!ends()) {
    const std::optional<Line> line = TRY(NextLine(from));
    if (!line) break;
    rotated += TRY(RotateLine(*line, ends));
  }
  // However many there are to look at, it is a twentieth of this thread's time at most.
  const auto ended = clock_.Steady();
  next_look_ = ended + (ended - begun) * kRestAfterLook;
  return rotated;
}

// One entry tells of a line; the next one begins behind the last entry that this line could have.
Result<std::optional<AutomaticRotation::Line>> AutomaticRotation::NextLine(
    std::optional<store::PlacedEntry>& from) const {
  for (;;) {
    const store::EntryPage page = TRY(store_.ScanEntries(from, 1));
    if (page.items.empty() || page.items.front().tag != std::int64_t{kTag}) return std::nullopt;
    const store::PlacedEntry& entry = page.items.front();
    from = entry;
    from->slot = std::numeric_limits<std::int64_t>::max();
    // The store is not to be trusted: what is no interval is nobody's.
    if (const auto interval = ParseRotationKey(entry.key)) {
      return Line{.key = entry.key, .owner = entry.scope, .interval = *interval};
    }
  }
}

Result<std::size_t> AutomaticRotation::RotateLine(const Line& line,
                                                  const std::function<bool()>& ends) {
  store::Query query;
  query.entries = {{.tag = kTag, .key = line.key, .scope = line.owner}};
  query.created_to =
      clock_.Now() - std::int64_t{std::max(line.interval, options_.shortest_seconds)};
  query.limit = kPage;
  std::size_t rotated = 0;
  do {
    const auto page = TRY(store_.Find(query));
    std::vector<Due> together;
    for (const store::ObjectId& id : page.items) {
      std::optional<Due> due = Examine(id);
      if (!due) continue;
      const bool full = due->of_pair || together.size() + 1 == kTogether;
      together.push_back(*std::move(due));
      if (!full) continue;
      rotated += Rotate(std::exchange(together, {}));
      if (ends()) return rotated;
    }
    rotated += Rotate(std::move(together));
    query.after = page.next;
  } while (query.after != 0 && !ends());
  return rotated;
}

std::optional<AutomaticRotation::Due> AutomaticRotation::Examine(const std::string& id) {
  if (not_before_.contains(id)) return std::nullopt;
  const Result<StoredObject> stored = vault_.Load(store_, id, Vault::Material::kLeaveSealed);
  if (!stored) {
    if (stored.error().code != Code::kNotFound) NoteFailure(id, stored.error().message);
    return std::nullopt;
  }
  if (!RotationIsDue(stored->object.attributes, clock_.Now(), options_.shortest_seconds)) {
    return std::nullopt;
  }
  switch (*ReplacingOperation(stored->object.type)) {
    case kmip::Operation::kReKeyKeyPair:
      return Due{id, RequestFor<kmip::ReKeyKeyPairRequest>(*stored), true};
    case kmip::Operation::kReCertify:
      return Due{id, RequestFor<kmip::ReCertifyRequest>(*stored)};
    default:
      return Due{id, RequestFor<kmip::ReKeyRequest>(*stored)};
  }
}

std::size_t AutomaticRotation::Rotate(std::vector<Due> due) {
  std::vector<std::future<WipingBytes>> answers;
  for (Due& one : due) {
    auto waiting = std::make_unique<Waiting>();
    answers.push_back(waiting->answer());
    submit_(std::move(one.request), caller_, std::move(waiting));
  }
  std::size_t rotated = 0;
  for (std::size_t i = 0; i < due.size(); ++i) {
    const WipingBytes answer = answers[i].get();
    const std::optional<std::string> refusal = Refusal(answer);
    if (!refusal) {
      ++rotated;
    } else {
      NoteFailure(due[i].id, *refusal);
    }
  }
  return rotated;
}

void AutomaticRotation::NoteFailure(const std::string& id, const std::string& why) {
  // Another node, or a client, was faster.
  const Result<StoredObject> stored = vault_.Load(store_, id, Vault::Material::kLeaveSealed);
  const bool done =
      stored && !RotationIsDue(stored->object.attributes, clock_.Now(), options_.shortest_seconds);
  if (done) return;
  log::Warning("object " + id + " is not rotated as it asks for: " + why);
  if (not_before_.size() < kMostFailed) not_before_[id] = clock_.Now() + kTryAgain;
}

}  // namespace dare::engine
