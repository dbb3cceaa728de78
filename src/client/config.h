#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/endpoint.h"
#include "crypto/fips_policy.h"
#include "kmip/protocol_version.h"

namespace dare::client {

inline constexpr std::string_view kDefaultConfigFile = "/etc/dare/client.toml";

// What a machine needs to know to use its key servers: /etc/dare/client.toml, client.toml(5).
// Plain data, every default in its place. Relative paths are taken from the folder of the file and
// stand here complete.
struct Config {
  std::string path;  // the file it was read from

  std::vector<Endpoint> servers;  // at least one; the first that answers is used
  std::string ca_file;            // PEM; who may sign the certificates of key servers
  std::string certificate_file;   // PEM; ours, with its chain
  std::string key_file;           // PEM; private, mode 0600
  kmip::ProtocolVersion kmip_version = kmip::kVersion2_1;
  std::string default_key;                 // name or id; may be empty
  std::vector<std::string> recovery_keys;  // PEM files of public keys every sealed file is for, too
  std::string key_namespace = "kmip";      // provider id of the wrapped keys in sealed files
  std::string enrolment_url;               // where the certificate is renewed; may be empty
  std::string secrets_dir = "secrets";     // where `dare secret` keeps them

  std::chrono::milliseconds connect_timeout{5000};   // TCP and TLS to one server
  std::chrono::milliseconds request_timeout{15000};  // one operation, retries included
  std::chrono::milliseconds idle_timeout{60000};     // a kept connection is closed after
  std::uint32_t connections = 8;                     // at most, to all servers together

  std::uint32_t frame_bytes = 256u << 10;  // of sealed files
  std::uint32_t threads = 0;               // 0: one for each core

  crypto::PolicyChoice crypto_policy;
};

// Unknown keys, wrong types and impossible values are refused: kInvalidArgument,
// "PATH:LINE: …". kIo or kNotFound when the file cannot be read.
Result<Config> LoadConfig(const std::string& path);
Result<Config> ParseConfig(std::string_view text, const std::string& path);

// [crypto] alone, for what needs no key server: whatever else the file says, right or wrong. The
// default where there is no file; else as LoadConfig, so that a policy that cannot be read is not
// taken for none.
Result<crypto::PolicyChoice> LoadPolicy(const std::string& path);

// What `dare enroll` writes: `config` as TOML, with a line on where it came from.
std::string WriteConfig(const Config& config);

}  // namespace dare::client
