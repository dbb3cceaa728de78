#include "conformance/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "conformance/comparison.h"
#include "conformance/message_parts.h"
#include "conformance/value_text.h"

namespace dare::conformance {
namespace {

using kmip::Tag;
using SteadyClock = std::chrono::steady_clock;

// A case that waits for a date to come ("$NOW+120 … [REPEAT] until … Deactivated") is played with
// this many seconds instead.
constexpr std::int64_t kShortened = 3;

const Node* FindBelow(const Node& node, Tag tag) {
  if (node.tag == tag) return &node;
  for (const Node& member : node.members) {
    if (const Node* found = FindBelow(member, tag)) return found;
  }
  return nullptr;
}

// The server's own words about what failed, if it used any.
std::string Said(const Node& response) {
  std::string words;
  for (const Node* item : response.Children(Tag::kBatchItem)) {
    const Node* reason = item->Child(Tag::kResultReason);
    const Node* message = item->Child(Tag::kResultMessage);
    if (reason == nullptr) continue;
    words += fmt::format("{}{}: {}", words.empty() ? "" : "; ",
                         EnumerationText(reason->tag, "", reason->value.number),
                         message != nullptr ? message->value.octets : "");
  }
  return words.empty() ? "" : " [the server says " + words + "]";
}

std::string Joined(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : " ") + name;
  return joined;
}

// Performance plays one case.
class Performance {
 public:
  Performance(const CaseFile& file, const Connect& connect, Bindings bindings,
              const PlayOptions& options)
      : file_(file), connect_(connect), options_(options), bindings_(std::move(bindings)) {}

  Outcome Run() {
    if (!file_.problem.empty()) return End(Verdict::kFailed, "cannot be read: " + file_.problem);
    if (file_.polls()) bindings_.Shorten(kShortened);
    bool waiting = false;
    for (std::size_t i = 0; i < file_.exchanges.size(); ++i) {
      const Exchange& exchange = file_.exchanges[i];
      // What is polled for shows in the repeated request's answer or only in the one after it.
      const bool repeat = waiting || exchange.repeated();
      waiting = exchange.repeated();
      const Difference difference =
          exchange.from_server ? PlayServer(exchange) : PlayClient(exchange, repeat);
      if (!difference) continue;
      if (skipped_) return End(Verdict::kSkipped, *difference);
      return End(Verdict::kFailed,
                 fmt::format("request {} ({}) {}", i + 1, Joined(OperationNames(exchange.request)),
                             *difference));
    }
    return End(Verdict::kPassed, "");
  }

 private:
  using Difference = std::optional<std::string>;

  Outcome End(Verdict verdict, std::string text) {
    return {verdict, std::move(text), std::move(used_), std::move(bindings_)};
  }

  // 0 for the case's client, 1… for others: by [Client-B] comments, else by user names in the order
  // of their appearance.
  std::size_t ClientOf(const Exchange& exchange) {
    constexpr std::string_view kMark = "[Client-";
    const std::size_t mark = exchange.comments.find(kMark);
    if (mark != std::string::npos && mark + kMark.size() < exchange.comments.size()) {
      const char letter = exchange.comments[mark + kMark.size()];
      if (letter >= 'A' && letter <= 'Z') return static_cast<std::size_t>(letter - 'A');
    }
    const Node* header = exchange.request.Child(Tag::kRequestHeader);
    const Node* user = header != nullptr ? FindBelow(*header, Tag::kUsername) : nullptr;
    if (user == nullptr || user->is_placeholder()) return 0;
    const auto known = std::find(users_.begin(), users_.end(), user->value.octets);
    if (known != users_.end()) return static_cast<std::size_t>(known - users_.begin());
    users_.push_back(user->value.octets);
    return users_.size() - 1;
  }

  // A case in which the server asks is played as a client of its own, the fourth, so that the
  // server can have an agreement with that one and tells the others nothing.
  std::size_t FirstClient() const {
    const bool asked = std::any_of(file_.exchanges.begin(), file_.exchanges.end(),
                                   [](const Exchange& exchange) { return exchange.from_server; });
    return asked ? 3 : 0;
  }

  Result<Peer*> PeerOf(std::size_t client) {
    auto& peer = peers_[client];
    if (peer == nullptr) peer = TRY(connect_(client));
    last_ = peer.get();
    return last_;
  }

  Difference Compare(const Node& request, const Node& expected, const Node& actual) {
    Comparison comparison(bindings_, request,
                          {.versions_may_be_mixed = options_.versions_may_be_mixed});
    Difference difference = comparison.Run(expected, actual);
    if (!difference) used_.insert(comparison.used().begin(), comparison.used().end());
    return difference;
  }

  Difference PlayClient(const Exchange& exchange, bool repeat) {
    Result<Peer*> peer = PeerOf(ClientOf(exchange) + FirstClient());
    if (!peer) return peer.error().message;
    const auto deadline =
        SteadyClock::now() + std::chrono::seconds(repeat ? options_.repeat_seconds : 0);
    for (;;) {
      const Result<Node> request = bindings_.Fill(exchange.request);
      if (!request) return "cannot be sent: " + request.error().message;
      const Result<Node> response = (*peer)->Ask(*request);
      if (!response) return "was not answered: " + response.error().message;
      bindings_.Learn(*request, *response);  // stays, whatever the comparison says
      const Bindings before = bindings_;
      const Difference difference = Compare(*request, exchange.response, *response);
      if (!difference) return std::nullopt;
      bindings_ = before;
      if (SteadyClock::now() >= deadline) return *difference + Said(*response);
      std::this_thread::sleep_for(std::chrono::milliseconds(options_.repeat_pause_ms));
    }
  }

  // The server asks, on the connection that was used last.
  Difference PlayServer(const Exchange& exchange) {
    if (last_ == nullptr) {
      const Result<Peer*> peer = PeerOf(FirstClient());
      if (!peer) return peer.error().message;
    }
    const Result<Node> request = last_->NextRequest();
    if (!request) {
      skipped_ = request.error().code == Code::kUnsupported;
      return (skipped_ ? "" : "was not sent by the server: ") + request.error().message;
    }
    bindings_.Learn(*request, *request);
    if (Difference difference = Compare(*request, exchange.request, *request)) return difference;
    const Result<Node> response = bindings_.Fill(exchange.response);
    if (!response) return "cannot be answered: " + response.error().message;
    const Result<void> answered = last_->Answer(*response);
    if (!answered) return "cannot be answered: " + answered.error().message;
    return std::nullopt;
  }

  const CaseFile& file_;
  const Connect& connect_;
  const PlayOptions& options_;
  Bindings bindings_;
  Variations used_;
  std::map<std::size_t, std::unique_ptr<Peer>> peers_;
  Peer* last_ = nullptr;
  std::vector<std::string> users_;
  bool skipped_ = false;
};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return "PASS";
    case Verdict::kFailed:
      return "FAIL";
    case Verdict::kSkipped:
      return "SKIP";
  }
  return "";
}

Outcome Play(const CaseFile& file, const Connect& connect, const Bindings* before, std::int64_t now,
             const PlayOptions& options) {
  return Performance(file, connect,
                     before != nullptr ? Bindings::Following(now, *before) : Bindings(now), options)
      .Run();
}

}  // namespace dare::conformance
