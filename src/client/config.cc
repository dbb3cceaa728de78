#include "client/config.h"

#include <toml++/toml.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <sstream>

#include "base/file.h"

namespace dare::client {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr std::size_t kMostBytes = 1u << 20;  // of the file

// Reads keys out of one table and remembers which it was asked for, so that the rest can be
// refused.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string prefix, const std::string& path)
      : table_(table), prefix_(std::move(prefix)), path_(path) {}

  Error Fault(const toml::node* node, std::string_view key, std::string_view what) const {
    const auto line = (node ? node->source() : table_.source()).begin.line;
    return Error(Code::kInvalidArgument, path_ + ":" + std::to_string(line) + ": " + prefix_ +
                                             std::string(key) + " " + std::string(what));
  }

  const toml::node* Find(std::string_view key) {
    known_.insert(std::string(key));
    return table_.get(key);
  }

  Result<void> Text(std::string_view key, std::string& value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return {};
    const auto text = node->value_exact<std::string>();
    if (!text) return Fault(node, key, "must be a string");
    value = *text;
    return {};
  }

  Result<void> Flag(std::string_view key, bool& value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return {};
    const auto flag = node->value_exact<bool>();
    if (!flag) return Fault(node, key, "must be true or false");
    value = *flag;
    return {};
  }

  template <typename Number>
  Result<void> Integer(std::string_view key, Number& value, std::int64_t least, std::int64_t most) {
    const toml::node* node = Find(key);
    if (node == nullptr) return {};
    const auto number = node->value_exact<std::int64_t>();
    if (!number || *number < least || *number > most) {
      return Fault(
          node, key,
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    value = static_cast<Number>(*number);
    return {};
  }

  // Whole or fractional seconds.
  Result<void> Seconds(std::string_view key, Milliseconds& value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return {};
    const auto seconds = node->is_number() ? node->value<double>() : std::nullopt;
    if (!seconds || !(*seconds >= 0.001) || !(*seconds <= 86400)) {
      return Fault(node, key, "must be a number of seconds from 0.001 to 86400");
    }
    value = Milliseconds(static_cast<std::int64_t>(*seconds * 1000));
    return {};
  }

  Result<const toml::table*> Table(std::string_view key) {
    const toml::node* node = Find(key);
    if (node == nullptr) return static_cast<const toml::table*>(nullptr);
    if (!node->is_table()) return Fault(node, key, "must be a table");
    return node->as_table();
  }

  Result<void> RefuseOthers() const {
    for (const auto& [key, node] : table_) {
      if (!known_.contains(std::string(key.str()))) {
        return Fault(&node, key.str(), "is not a key of this file; see client.toml(5)");
      }
    }
    return {};
  }

 private:
  const toml::table& table_;
  const std::string prefix_;
  const std::string& path_;
  std::set<std::string> known_;
};

Result<void> ReadServers(TableReader& in, Config& config) {
  const toml::node* node = in.Find("servers");
  if (node == nullptr) return in.Fault(nullptr, "servers", "is missing");
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty()) {
    return in.Fault(node, "servers", "must be a list of \"host:port\"");
  }
  for (const toml::node& entry : *list) {
    const auto text = entry.value_exact<std::string>();
    if (!text) return in.Fault(&entry, "servers", "must be a list of \"host:port\"");
    auto endpoint = ParseEndpoint(*text);
    if (!endpoint) return in.Fault(&entry, "servers:", endpoint.error().message);
    config.servers.push_back(*std::move(endpoint));
  }
  return {};
}

Result<void> ReadVersion(TableReader& in, Config& config) {
  const toml::node* node = in.Find("kmip_version");
  if (node == nullptr) return {};
  const auto text = node->value_exact<std::string>();
  for (const kmip::ProtocolVersion version :
       {kmip::kVersion1_2, kmip::kVersion1_3, kmip::kVersion1_4, kmip::kVersion2_0,
        kmip::kVersion2_1}) {
    if (text == std::to_string(version.major) + "." + std::to_string(version.minor)) {
      config.kmip_version = version;
      return {};
    }
  }
  return in.Fault(node, "kmip_version", "must be \"1.2\", \"1.3\", \"1.4\", \"2.0\" or \"2.1\"");
}

// A file the configuration must name, as a complete path.
Result<void> ReadPath(TableReader& in, std::string_view key, const std::string& folder,
                      std::string& value) {
  TRY(in.Text(key, value));
  if (value.empty()) return in.Fault(nullptr, key, "is missing");
  if (!value.starts_with('/')) {
    value = (std::filesystem::path(folder) / value).lexically_normal().string();
  }
  return {};
}

// Files of a list, as complete paths.
Result<void> ReadPaths(TableReader& in, std::string_view key, const std::string& folder,
                       std::vector<std::string>& values) {
  const toml::node* node = in.Find(key);
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr) return in.Fault(node, key, "must be a list of files");
  for (const toml::node& entry : *list) {
    const auto text = entry.value_exact<std::string>();
    if (!text || text->empty()) return in.Fault(&entry, key, "must be a list of files");
    values.push_back(text->starts_with('/')
                         ? *text
                         : (std::filesystem::path(folder) / *text).lexically_normal().string());
  }
  return {};
}

Result<void> ReadPolicy(TableReader& root, const std::string& path, crypto::PolicyChoice& choice) {
  const toml::table* table = TRY(root.Table("crypto"));
  if (table == nullptr) return {};
  TableReader in(*table, "crypto.", path);
  std::string policy = "default";
  TRY(in.Text("policy", policy));
  if (policy != "default" && policy != "fips") {
    return in.Fault(in.Find("policy"), "policy", "must be \"default\" or \"fips\"");
  }
  choice.fips = policy == "fips";
  TRY(in.Flag("require_provider", choice.require_provider));
  if (choice.require_provider && !choice.fips) {
    return in.Fault(in.Find("require_provider"), "require_provider", "needs policy = \"fips\"");
  }
  return in.RefuseOthers();
}

Result<Config> ReadTables(const toml::table& root, const std::string& path) {
  Config config;
  config.path = path;
  TableReader in(root, "", path);
  TRY(ReadServers(in, config));
  const std::string folder = FolderOf(path);
  TRY(ReadPath(in, "ca_file", folder, config.ca_file));
  TRY(ReadPath(in, "certificate_file", folder, config.certificate_file));
  TRY(ReadPath(in, "key_file", folder, config.key_file));
  TRY(ReadVersion(in, config));
  TRY(in.Text("default_key", config.default_key));
  TRY(ReadPaths(in, "recovery_keys", folder, config.recovery_keys));
  TRY(in.Text("key_namespace", config.key_namespace));
  if (config.key_namespace.empty() || config.key_namespace.starts_with("aws-")) {
    return in.Fault(in.Find("key_namespace"), "key_namespace",
                    "must not be empty or begin with \"aws-\"");
  }
  TRY(in.Text("enrolment_url", config.enrolment_url));
  TRY(ReadPath(in, "secrets_dir", folder, config.secrets_dir));
  if (const toml::table* table = TRY(in.Table("timeouts"))) {
    TableReader timeouts(*table, "timeouts.", path);
    TRY(timeouts.Seconds("connect_seconds", config.connect_timeout));
    TRY(timeouts.Seconds("request_seconds", config.request_timeout));
    TRY(timeouts.Seconds("idle_seconds", config.idle_timeout));
    TRY(timeouts.RefuseOthers());
  }
  TRY(in.Integer("connections", config.connections, 1, 1024));
  if (const toml::table* table = TRY(in.Table("seal"))) {
    TableReader seal(*table, "seal.", path);
    TRY(seal.Integer("frame_bytes", config.frame_bytes, 4096, 64 << 20));
    TRY(seal.Integer("threads", config.threads, 0, 1024));
    TRY(seal.RefuseOthers());
  }
  TRY(ReadPolicy(in, path, config.crypto_policy));
  TRY(in.RefuseOthers());
  return config;
}

Result<toml::table> Parse(std::string_view text, const std::string& path) {
  try {
    return toml::table(toml::parse(text, path));
  } catch (const toml::parse_error& error) {
    return Error(Code::kInvalidArgument, path + ":" + std::to_string(error.source().begin.line) +
                                             ": " + std::string(error.description()));
  }
}

std::string Seconds(Milliseconds time) {
  std::ostringstream text;
  text << static_cast<double>(time.count()) / 1000;
  return text.str();
}

std::string Quoted(std::string_view text) {
  std::ostringstream out;
  out << toml::value<std::string>(text);
  return out.str();
}

}  // namespace

Result<Config> ParseConfig(std::string_view text, const std::string& path) {
  return ReadTables(TRY(Parse(text, path)), path);
}

Result<crypto::PolicyChoice> LoadPolicy(const std::string& path) {
  crypto::PolicyChoice choice;
  const Result<Bytes> text = ReadFile(path, kMostBytes);
  if (!text && text.error().detail == ENOENT) return choice;
  if (!text) return text.error();
  const toml::table root = TRY(Parse(AsText(*text), path));
  TableReader in(root, "", path);
  TRY(ReadPolicy(in, path, choice));
  return choice;
}

Result<Config> LoadConfig(const std::string& path) {
  Result<Bytes> text = ReadFile(path, kMostBytes);
  if (!text && text.error().detail == ENOENT) {
    return Error(Code::kNotFound, "there is no configuration at " + path, ENOENT);
  }
  if (!text) return text.error();
  return ParseConfig(AsText(*text), path);
}

std::string WriteConfig(const Config& config) {
  std::ostringstream out;
  out << "# Written by \"dare enroll\". Every key is described in client.toml(5).\nservers = [";
  for (std::size_t i = 0; i < config.servers.size(); ++i) {
    out << (i == 0 ? "" : ", ") << Quoted(config.servers[i].ToString());
  }
  out << "]\n"
      << "ca_file = " << Quoted(config.ca_file) << "\n"
      << "certificate_file = " << Quoted(config.certificate_file) << "\n"
      << "key_file = " << Quoted(config.key_file) << "\n"
      << "kmip_version = \"" << config.kmip_version.major << "." << config.kmip_version.minor
      << "\"\n";
  if (!config.enrolment_url.empty()) {
    out << "enrolment_url = " << Quoted(config.enrolment_url) << "\n";
  }
  if (!config.default_key.empty()) out << "default_key = " << Quoted(config.default_key) << "\n";
  if (!config.recovery_keys.empty()) {
    out << "recovery_keys = [";
    for (std::size_t i = 0; i < config.recovery_keys.size(); ++i) {
      out << (i == 0 ? "" : ", ") << Quoted(config.recovery_keys[i]);
    }
    out << "]\n";
  }
  out << "key_namespace = " << Quoted(config.key_namespace) << "\n"
      << "secrets_dir = " << Quoted(config.secrets_dir) << "\n"
      << "connections = " << config.connections << "\n\n[timeouts]\n"
      << "connect_seconds = " << Seconds(config.connect_timeout) << "\n"
      << "request_seconds = " << Seconds(config.request_timeout) << "\n"
      << "idle_seconds = " << Seconds(config.idle_timeout) << "\n\n[seal]\n"
      << "frame_bytes = " << config.frame_bytes << "\n"
      << "threads = " << config.threads << "\n";
  if (config.crypto_policy.fips) {
    out << "\n[crypto]\npolicy = \"fips\"\nrequire_provider = "
        << (config.crypto_policy.require_provider ? "true" : "false") << "\n";
  }
  return out.str();
}

}  // namespace dare::client
