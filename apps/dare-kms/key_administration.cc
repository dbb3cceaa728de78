#include "key_administration.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <utility>

#include "custody/key_life.h"
#include "custody/patience.h"
#include "custody/rotation_state.h"

namespace dare::kms {
namespace {

namespace json = boost::json;
using custody::CustodyKey;
using custody::CustodyRecord;
using custody::KeyState;

// Nobody waits longer than this for a look at one token.
constexpr std::chrono::milliseconds kLook{2000};

std::string Text(std::string_view view) { return std::string(view); }

json::value BackupOf(const CustodyKey& key) {
  if (key.quorum.ceremony.empty()) return nullptr;
  return json::object{{"ceremony", ToHex(key.quorum.ceremony)},
                      {"threshold", key.quorum.threshold},
                      {"shares", key.quorum.shares},
                      {"held", key.quorum.held}};
}

json::object Describe(const custody::Custody& custody, const CustodyKey& key) {
  json::array holders;
  for (const custody::KeyHolder& holder : key.holders) holders.emplace_back(holder.token);
  const custody::Custody::Seals seals = custody.SealsOf(key.id);
  json::object out{{"id", ToHex(key.id)},
                   {"kind", Text(custody::NameOf(key.kind))},
                   {"state", Text(custody::NameOf(key.state))},
                   {"origin", Text(custody::NameOf(key.origin))},
                   {"label", key.label},
                   {"check_value", ToHex(key.check_value)},
                   {"created", key.created},
                   {"holders", std::move(holders)},
                   {"seals", seals.made},
                   {"backup", BackupOf(key)}};
  if (seals.most != custody::kNoLimit) out["most_seals"] = seals.most;
  if (key.retired != 0) out["retired"] = key.retired;
  return out;
}

json::object DescribeToken(custody::Custody& custody, std::shared_ptr<ConfiguredTokens> tokens,
                           const CustodyRecord& record, const std::string& name) {
  const auto& holders = record.current().holders;
  const bool holds = std::ranges::find(holders, name, &custody::KeyHolder::token) != holders.end();
  json::object out{{"name", name}, {"holds_current_key", holds}};
  const std::vector<std::string> configured = tokens->tokens();
  out["configured"] = std::ranges::find(configured, name) != configured.end();
  const auto keys = custody::Within<std::vector<Bytes>>(
      std::min(kLook, custody.opener().patience()),
      [tokens = std::move(tokens), name] { return tokens->List(name); });
  out["answers"] = keys.has_value();
  if (!keys) {
    out["error"] = keys.error().message;
    return out;
  }
  // Keys that the store does not know: of a rotation that was broken off, or of a store that was
  // put back to before one.
  json::array unknown;
  for (const Bytes& id : *keys) {
    const bool known =
        record.Find(id) != nullptr || std::ranges::any_of(record.keys, [&](const CustodyKey& key) {
          return std::ranges::find(key.holders, id, &custody::KeyHolder::wrapping_key) !=
                 key.holders.end();
        });
    if (!known) unknown.emplace_back(ToHex(id));
  }
  if (!unknown.empty()) out["unknown_keys"] = std::move(unknown);
  return out;
}

json::value DescribeRotation(const custody::Custody& custody, const CustodyRecord& record) {
  const auto read = custody::ReadRotation(custody, custody.store());
  const bool retiring =
      std::ranges::find(record.keys, KeyState::kRetiring, &CustodyKey::state) != record.keys.end();
  if (!read) return json::object{{"error", read.error().message}};
  if (!*read || (*read)->to != record.current().id) {
    if (!retiring) return nullptr;
    return json::object{{"to", ToHex(record.current().id)}, {"state", "beginning"}};
  }
  const custody::RotationState& state = **read;
  json::object out{{"to", ToHex(state.to)},     {"started", state.started},
                   {"node", state.node},        {"pass", state.pass},
                   {"place", state.cursor},     {"last_place", state.extent},
                   {"resealed", state.resealed}};
  if (!retiring) {
    out["state"] = "finished";
    out["finished"] = state.finished;
    return out;
  }
  const bool sealing = state.pass == 1 && state.cursor < state.extent;
  out["state"] = sealing ? "sealing" : "proving";
  const std::int64_t passed = custody.clock().Now() - state.started;
  if (sealing && state.cursor != 0 && passed > 0) {
    out["seconds_left"] = static_cast<std::int64_t>(
        static_cast<double>(passed) * static_cast<double>(state.extent - state.cursor) /
        static_cast<double>(state.cursor));
  }
  return out;
}

json::array WarningsOf(const custody::Custody& custody, const CustodyRecord& record) {
  json::array warnings;
  const CustodyKey& current = record.current();
  const custody::Custody::Seals seals = custody.SealsOf(current.id);
  if (seals.most != custody::kNoLimit && seals.made >= custody::kWarnGcmSeals) {
    warnings.emplace_back("the master key sealed " + std::to_string(seals.made) + " records of " +
                          std::to_string(seals.most) + ": rotate it");
  }
  if (current.quorum.ceremony.empty()) {
    warnings.emplace_back(
        current.kind == custody::KeyKind::kMaster && current.origin == custody::KeyOrigin::kToken
            ? "the master key exists in one HSM alone: who loses that loses every key"
            : "no quorum can bring the current key back: dare-kms hsm backup");
  }
  if (current.kind == custody::KeyKind::kRoot && current.holders.size() < 2) {
    warnings.emplace_back("only one HSM opens the store: add another one");
  }
  return warnings;
}

}  // namespace

Result<std::string> KeyAdministration::Status() {
  TRY(custody_.Refresh());
  const CustodyRecord record = custody_.record();
  std::set<std::string> names;
  json::array tokens;
  const auto show = [&](const std::string& name) {
    if (names.insert(name).second) {
      tokens.push_back(DescribeToken(custody_, tokens_, record, name));
    }
  };
  for (const std::string& name : tokens_->tokens()) show(name);
  json::array keys;
  for (const CustodyKey& key : record.keys) {
    keys.push_back(Describe(custody_, key));
    for (const custody::KeyHolder& holder : key.holders) show(holder.token);
  }
  return json::serialize(json::object{{"mode", Text(custody::NameOf(record.mode))},
                                      {"revision", record.revision},
                                      {"node", custody_.options().node},
                                      {"keys", std::move(keys)},
                                      {"tokens", std::move(tokens)},
                                      {"rotation", DescribeRotation(custody_, record)},
                                      {"warnings", WarningsOf(custody_, record)}});
}

Result<std::string> KeyAdministration::Rotate(const Rotation& rotation) {
  custody::RotationRequest request;
  if (rotation.sealing == "direct") request.mode = custody::SealingMode::kDirect;
  if (rotation.sealing == "root") request.mode = custody::SealingMode::kRoot;
  if (!rotation.sealing.empty() && !request.mode) {
    return Error(Code::kInvalidArgument, "'sealing' is \"direct\" or \"root\"");
  }
  if (!rotation.prepared.empty()) {
    auto id = FromHex(rotation.prepared);
    if (!id) return Error(Code::kInvalidArgument, "'key' is no key id");
    request.prepared = *std::move(id);
  }
  const custody::RotationBegun begun = TRY(custody::BeginRotation(custody_, request));
  changed_();
  json::array left_out;
  for (const custody::TokenFailure& failure : begun.left_out) {
    left_out.push_back(json::object{{"token", failure.token}, {"error", failure.error.message}});
  }
  return json::serialize(json::object{
      {"from", ToHex(begun.from)}, {"to", ToHex(begun.to)}, {"left_out", std::move(left_out)}});
}

Result<std::string> KeyAdministration::DestroyRetired() {
  json::array ids;
  for (const Bytes& id : TRY(custody::DestroyRetired(custody_))) ids.emplace_back(ToHex(id));
  return json::serialize(json::object{{"destroyed", std::move(ids)}});
}

Result<std::string> KeyAdministration::AddToken(const std::string& token) {
  const server::Config config = TRY(server::LoadConfig(config_file_));
  tokens_->Take(config.hsm);
  TRY(custody::AddToken(custody_, token));
  return json::serialize(json::object{{"added", token}});
}

Result<std::string> KeyAdministration::RemoveToken(const std::string& token) {
  TRY(custody::RemoveToken(custody_, token));
  return json::serialize(json::object{{"removed", token}});
}

}  // namespace dare::kms
