#include "node_witness.h"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/file.h"
#include "client/https_call.h"
#include "server/witness_routes.h"

namespace dare::kms {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostAnswer = 16u << 10;
constexpr std::chrono::seconds kLeftAlone{5};
// Each refusal is an entry in the witness's own log.
constexpr std::chrono::seconds kLeftAloneRefused{60};

Error NoWitness(const std::string& place, const std::string& why) {
  return Error(Code::kInvalidArgument, "'" + place + "' is no witness: " + why);
}

// The text of one member of an answer; nothing where it is not there.
std::optional<std::string> Member(const std::string& body, std::string_view name) {
  boost::system::error_code failed;
  const json::value value = json::parse(body, failed);
  if (failed || !value.is_object()) return std::nullopt;
  const json::value* const member = value.get_object().if_contains(name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string(member->get_string());
}

// What the witness says is for our log, and comes from outside.
Error Refused(const client::HttpsAnswer& answer) {
  std::string why = Member(answer.body, "error").value_or("it gives no reason");
  std::ranges::replace_if(
      why, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  return Error(answer.status == 409 ? Code::kConflict : Code::kRejected,
               "HTTP " + std::to_string(answer.status) + ": " + why);
}

class NodeWitness : public audit::Witness {
 public:
  NodeWitness(std::string name, const server::Config& config)
      : name_(std::move(name)),
        url_(name_.substr(kNodeWitness.size()) + std::string(server::kWitnessPath)),
        origin_(audit::OriginOf(config.node)),
        key_file_(config.audit_folder + "/audit.pub") {
    const std::string& ca = config.audit.witness_ca;
    call_.ca_file = ca.empty() ? config.ca.certificate_file : ca;
    call_.certificate_file = config.audit.witness_certificate;
    call_.key_file = config.audit.witness_key;
    call_.most_bytes = kMostAnswer;
  }

  std::string name() const override { return name_; }

  Result<std::optional<audit::SignedCheckpoint>> Newest() override {
    const client::HttpsAnswer answer = TRY(client::HttpsCall(url_, "", call_));
    if (answer.status != 200) return Refused(answer);
    const std::optional<std::string> text = Member(answer.body, "checkpoint");
    if (!text) return Error(Code::kMalformed, "it answers something else");
    if (text->empty()) return std::optional<audit::SignedCheckpoint>();
    audit::SignedCheckpoint newest = TRY(audit::ParseCheckpoint(*text));
    if (newest.checkpoint.origin != origin_) {
      return Error(Code::kMalformed,
                   "it has a checkpoint of another log, " + newest.checkpoint.origin);
    }
    return std::optional<audit::SignedCheckpoint>(std::move(newest));
  }

  Result<void> Record(const std::string& text) override {
    const auto now = SystemClock::Get().Steady();
    if (failure_ && now < again_at_) return *failure_;
    const Result<void> told = Tell(text);
    failure_ = told ? std::nullopt : std::optional<Error>(told.error());
    const bool refused =
        !told && (told.error().code == Code::kConflict || told.error().code == Code::kRejected);
    again_at_ = SystemClock::Get().Steady() + (refused ? kLeftAloneRefused : kLeftAlone);
    return told;
  }

 private:
  Result<void> Tell(const std::string& text) {
    const Bytes key = TRY(ReadFile(key_file_, audit::kMostCheckpointBytes));
    const std::string body =
        json::serialize(json::object{{"checkpoint", text}, {"public_key", AsText(key)}});
    const client::HttpsAnswer answer = TRY(client::HttpsCall(url_, body, call_));
    if (answer.status != 200) return Refused(answer);
    return {};
  }

  const std::string name_, url_, origin_, key_file_;
  client::HttpsCallOptions call_;
  std::optional<Error> failure_;  // of the last call
  std::chrono::steady_clock::time_point again_at_;
};

}  // namespace

Result<std::unique_ptr<audit::Witness>> MakeNodeWitness(const std::string& place,
                                                        const server::Config& config) {
  const std::string_view url = std::string_view(place).substr(kNodeWitness.size());
  constexpr std::string_view kHttps = "https://";
  const bool whole = url.starts_with(kHttps) && url.size() > kHttps.size() &&
                     url.find_first_of("/?#@ ", kHttps.size()) == std::string_view::npos;
  if (!whole) return NoWitness(place, "node:https://HOST:PORT is one");
  const server::AuditConfig& audit = config.audit;
  for (const auto& [key, value] : {std::pair("witness_certificate", &audit.witness_certificate),
                                   std::pair("witness_key", &audit.witness_key)}) {
    if (value->empty()) return NoWitness(place, std::string("audit.") + key + " is missing");
  }
  return std::unique_ptr<audit::Witness>(std::make_unique<NodeWitness>(place, config));
}

}  // namespace dare::kms
