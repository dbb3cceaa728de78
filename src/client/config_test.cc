#include "client/config.h"

#include <gtest/gtest.h>

namespace dare::client {
namespace {

constexpr std::string_view kLeast = R"(
servers = ["kms1.example", "[::1]:7000"]
ca_file = "ca.crt"
certificate_file = "/etc/pki/client.crt"
key_file = "client.key"
)";

std::string Refusal(std::string_view more) {
  std::string text(kLeast);
  text.append(more);
  const auto config = ParseConfig(text, "/etc/dare/client.toml");
  if (config) return "accepted";
  EXPECT_EQ(config.error().code, Code::kInvalidArgument);
  return config.error().message;
}

TEST(ClientConfig, NeedsLittleAndCompletesPaths) {
  const auto config = ParseConfig(kLeast, "/etc/dare/client.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->servers, (std::vector<Endpoint>{{"kms1.example", 5696}, {"::1", 7000}}));
  EXPECT_EQ(config->ca_file, "/etc/dare/ca.crt");
  EXPECT_EQ(config->certificate_file, "/etc/pki/client.crt");
  EXPECT_EQ(config->secrets_dir, "/etc/dare/secrets");
  EXPECT_EQ(config->kmip_version, kmip::kVersion2_1);
  EXPECT_EQ(config->request_timeout.count(), 15000);
}

TEST(ClientConfig, ReadsEveryKey) {
  const auto config = ParseConfig(std::string(kLeast) + R"(
kmip_version = "1.4"
default_key = "backup"
key_namespace = "kmip:site"
enrolment_url = "https://kms1.example:5697"
secrets_dir = "/var/lib/dare/secrets"
recovery_keys = ["recovery.pem", "/safe/other.pem"]
connections = 3
[timeouts]
connect_seconds = 1
request_seconds = 2.5
idle_seconds = 3
[seal]
frame_bytes = 65536
threads = 4
)",
                                  "client.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->kmip_version, kmip::kVersion1_4);
  EXPECT_EQ(config->default_key, "backup");
  EXPECT_EQ(config->key_namespace, "kmip:site");
  EXPECT_EQ(config->enrolment_url, "https://kms1.example:5697");
  EXPECT_EQ(config->secrets_dir, "/var/lib/dare/secrets");
  EXPECT_EQ(config->recovery_keys, (std::vector<std::string>{"recovery.pem", "/safe/other.pem"}));
  EXPECT_EQ(config->connections, 3u);
  EXPECT_EQ(config->connect_timeout.count(), 1000);
  EXPECT_EQ(config->request_timeout.count(), 2500);
  EXPECT_EQ(config->idle_timeout.count(), 3000);
  EXPECT_EQ(config->frame_bytes, 65536u);
  EXPECT_EQ(config->threads, 4u);
}

TEST(ClientConfig, RefusesUnknownKeysWithTheirLine) {
  EXPECT_EQ(Refusal("keyfile = 1\n"),
            "/etc/dare/client.toml:6: keyfile is not a key of this file; see client.toml(5)");
  EXPECT_EQ(Refusal("[timeouts]\nconnect = 1\n"),
            "/etc/dare/client.toml:7: timeouts.connect is not a key of this file; see "
            "client.toml(5)");
}

TEST(ClientConfig, RefusesWrongTypesAndValues) {
  EXPECT_NE(Refusal("kmip_version = \"3.0\"\n").find("client.toml:6: kmip_version must be"),
            std::string::npos);
  EXPECT_NE(Refusal("kmip_version = 2.1\n").find("must be"), std::string::npos);
  EXPECT_NE(Refusal("connections = 0\n").find("whole number from 1"), std::string::npos);
  EXPECT_NE(Refusal("timeouts = 5\n").find("must be a table"), std::string::npos);
  EXPECT_NE(Refusal("[timeouts]\nrequest_seconds = \"5\"\n").find("seconds"), std::string::npos);
  EXPECT_NE(Refusal("[seal]\nframe_bytes = 1\n").find("seal.frame_bytes"), std::string::npos);
  EXPECT_NE(Refusal("key_namespace = \"aws-kms\"\n").find("aws-"), std::string::npos);
  EXPECT_NE(Refusal("recovery_keys = \"one.pem\"\n").find("list of files"), std::string::npos);
  EXPECT_NE(Refusal("recovery_keys = [1]\n").find("list of files"), std::string::npos);
  EXPECT_NE(Refusal("x = \n").find("client.toml:6:"), std::string::npos) << "not TOML";
  EXPECT_NE(Refusal("ca_file = \"again\"\n").find("client.toml:6:"), std::string::npos);
}

TEST(ClientConfig, NeedsServersAndFiles) {
  const auto refusal = [](std::string_view text) {
    return ParseConfig(text, "c.toml").error().message;
  };
  EXPECT_NE(refusal("ca_file = \"a\"\n").find("servers is missing"), std::string::npos);
  EXPECT_NE(refusal("servers = []\n").find("servers must be a list"), std::string::npos);
  EXPECT_NE(refusal("servers = [\"a:b\"]\n").find("HOST:PORT"), std::string::npos);
  EXPECT_NE(refusal("servers = [\"a\"]\nca_file = \"a\"\n").find("certificate_file is missing"),
            std::string::npos);
}

TEST(ClientConfig, WhatEnrolWritesIsReadBack) {
  Config config;
  config.servers = {{"kms \"quoted\"", 5696}, {"::1", 7000}};
  config.ca_file = "/a/ca.crt";
  config.certificate_file = "/a/client.crt";
  config.key_file = "/a/client.key";
  config.enrolment_url = "https://kms:5697";
  config.request_timeout = std::chrono::milliseconds(1500);
  const auto read = ParseConfig(WriteConfig(config), "/a/client.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->servers, config.servers);
  EXPECT_EQ(read->key_file, config.key_file);
  EXPECT_EQ(read->enrolment_url, config.enrolment_url);
  EXPECT_EQ(read->request_timeout, config.request_timeout);
}

TEST(ClientConfig, TheCryptoPolicyIsReadAndKeptByEnrol) {
  EXPECT_EQ(Refusal("[crypto]\npolicy = \"strict\"\n"),
            "/etc/dare/client.toml:7: crypto.policy must be \"default\" or \"fips\"");
  EXPECT_NE(Refusal("[crypto]\nrequire_provider = true\n").find("needs policy = \"fips\""),
            std::string::npos);
  EXPECT_NE(Refusal("[crypto]\nrequire = true\n").find("is not a key"), std::string::npos);
  for (const bool provider : {false, true}) {
    auto config =
        ParseConfig(std::string(kLeast) + "[crypto]\npolicy = \"fips\"\nrequire_provider = " +
                        (provider ? "true" : "false") + "\n",
                    "/etc/dare/client.toml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->crypto_policy, (crypto::PolicyChoice{true, provider}));
    EXPECT_EQ(ParseConfig(WriteConfig(*config), "/x")->crypto_policy, config->crypto_policy);
  }
  const auto silent = ParseConfig(kLeast, "/etc/dare/client.toml");
  EXPECT_EQ(silent->crypto_policy, crypto::PolicyChoice{});
  EXPECT_EQ(WriteConfig(*silent).find("crypto"), std::string::npos) << "older programs read it";
}

TEST(ClientConfig, ThePolicyAloneIsTheDefaultWithoutAFile) {
  const auto choice = LoadPolicy("/nonexistent/client.toml");
  ASSERT_TRUE(choice) << choice.error().message;
  EXPECT_EQ(*choice, crypto::PolicyChoice{});
}

TEST(ClientConfig, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadConfig("/nonexistent/client.toml").error().code, Code::kNotFound);
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":5696", "a:", "a:0", "a:65536", "a:1x", "::1", "[::1", "[::1]5696"}) {
    EXPECT_FALSE(ParseEndpoint(text)) << text;
  }
  EXPECT_EQ(ParseEndpoint("[::1]")->ToString(), "[::1]:5696");
}

}  // namespace
}  // namespace dare::client
