#include "hsm_text.h"

#include <ctime>
#include <iostream>
#include <string>

namespace dare::cli {
namespace {

namespace json = boost::json;

// Fields that an older or newer server leaves out read as nothing.
const json::value& Field(const json::object& object, std::string_view name) {
  static const json::value kNothing;
  const json::value* const value = object.if_contains({name.data(), name.size()});
  return value != nullptr ? *value : kNothing;
}

std::string Text(const json::object& object, std::string_view name) {
  const json::value& value = Field(object, name);
  if (!value.is_string()) return {};
  return {value.get_string().data(), value.get_string().size()};
}

std::uint64_t Number(const json::object& object, std::string_view name) {
  const json::value& value = Field(object, name);
  boost::system::error_code failure;
  const auto number = value.is_number() ? value.to_number<std::uint64_t>(failure) : 0;
  return failure ? 0 : number;
}

bool Flag(const json::object& object, std::string_view name) {
  const json::value& value = Field(object, name);
  return value.is_bool() && value.get_bool();
}

json::array List(const json::object& object, std::string_view name) {
  const json::value& value = Field(object, name);
  return value.is_array() ? value.get_array() : json::array();
}

std::string Day(std::uint64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  char text[32] = "";
  ::gmtime_r(&time, &parts);
  (void)std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

std::string Joined(const json::array& names) {
  std::string text;
  for (const json::value& name : names) {
    if (!name.is_string()) continue;
    text += (text.empty() ? "" : ", ") + std::string(name.get_string().c_str());
  }
  return text.empty() ? "nobody" : text;
}

void PrintKey(const json::object& key) {
  std::cout << "  " << Text(key, "id") << "  " << Text(key, "state") << ", " << Text(key, "kind")
            << " of " << Day(Number(key, "created")) << ", origin " << Text(key, "origin")
            << "\n                    held by " << Joined(List(key, "holders")) << "; "
            << Number(key, "seals") << " seals";
  if (const std::uint64_t most = Number(key, "most_seals"); most != 0) {
    std::cout << " of " << most;
  }
  if (Field(key, "backup").is_object()) {
    const json::object& backup = Field(key, "backup").get_object();
    std::cout << "; any " << Number(backup, "threshold") << " of " << Number(backup, "shares")
              << " shares of " << Day(Number(backup, "held")) << " bring it back";
  }
  std::cout << "\n";
}

void PrintRotationState(const json::object& rotation) {
  std::cout << "rotation: " << Text(rotation, "state");
  const std::string state = Text(rotation, "state");
  if (state == "sealing" || state == "proving") {
    std::cout << " at place " << Number(rotation, "place") << " of "
              << Number(rotation, "last_place") << ", " << Number(rotation, "resealed")
              << " records sealed anew by " << Text(rotation, "node");
    if (const auto left = Number(rotation, "seconds_left"); left != 0) {
      std::cout << ", about " << left << " s left";
    }
  }
  if (state == "finished") {
    std::cout << " on " << Day(Number(rotation, "finished")) << ", " << Number(rotation, "resealed")
              << " records sealed anew";
  }
  std::cout << "\n";
}

}  // namespace

void PrintTokens(const json::object& status) {
  for (const json::value& value : List(status, "tokens")) {
    if (!value.is_object()) continue;
    const json::object& token = value.get_object();
    std::cout << "  " << Text(token, "name") << "  "
              << (Flag(token, "holds_current_key") ? "opens the store" : "does not open the store")
              << ", "
              << (Flag(token, "answers") ? std::string("answers")
                                         : "does not answer: " + Text(token, "error"));
    if (!Flag(token, "configured")) std::cout << " (not in kms.toml)";
    if (const json::array unknown = List(token, "unknown_keys"); !unknown.empty()) {
      std::cout << "; has keys that the store does not know: " << Joined(unknown);
    }
    std::cout << "\n";
  }
}

void PrintKeys(const json::object& status) {
  std::cout << "sealing: " << Text(status, "mode") << "\nkeys:\n";
  for (const json::value& key : List(status, "keys")) {
    if (key.is_object()) PrintKey(key.get_object());
  }
  std::cout << "tokens:\n";
  PrintTokens(status);
  if (Field(status, "rotation").is_object()) {
    PrintRotationState(Field(status, "rotation").get_object());
  }
  for (const json::value& warning : List(status, "warnings")) {
    if (warning.is_string()) std::cout << "warning: " << warning.get_string().c_str() << "\n";
  }
}

void PrintRotation(const json::object& begun) {
  std::cout << "new key " << Text(begun, "to") << ", in place of " << Text(begun, "from") << "\n";
  for (const json::value& value : List(begun, "left_out")) {
    if (!value.is_object()) continue;
    std::cout << "  " << Text(value.get_object(), "token")
              << " holds nothing of it: " << Text(value.get_object(), "error") << "\n";
  }
}

RotationProgress ProgressOf(const json::object& status) {
  RotationProgress progress;
  if (!Field(status, "rotation").is_object()) return progress;
  const json::object& rotation = Field(status, "rotation").get_object();
  progress.finished = Text(rotation, "state") == "finished";
  progress.done = Number(rotation, "place");
  progress.of = Number(rotation, "last_place");
  return progress;
}

}  // namespace dare::cli
