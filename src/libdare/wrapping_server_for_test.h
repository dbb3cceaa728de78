#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/key_server_for_test.h"

namespace dare::lib {

// A key server with one KEK, the same in all of them, that wraps and unwraps: what libdare needs of
// a real one, and fails as told. Its name is "test", its id kKekId.
class WrappingServerForTest {
 public:
  static constexpr const char* kKekId = "6d3c1c4e-5a10-4b02-9d5e-0a4f8f6b7c11";

  WrappingServerForTest();
  ~WrappingServerForTest();  // ends connections under way

  client::Endpoint endpoint() const { return server_->endpoint(); }
  int requests() const { return server_->requests(); }
  // Of the connections on which it is listened to.
  int listeners() const { return server_->listeners(); }
  // Says there that the KEK is in another state now.
  void Tell(kmip::State state);
  void Drop() { server_->Drop(); }

  std::atomic<bool> denies{false};  // every Encrypt and Decrypt
  std::atomic<bool> refuses_listeners{false};
  std::atomic<bool> knows_no_listeners{false};  // as a server that never heard of them
  std::atomic<bool> hangs{false};               // until it turns false
  std::atomic<int> wraps{0};
  std::atomic<int> unwraps{0};

 private:
  client::KeyServerForTest::Answer Answer(const kmip::RequestItem& item,
                                          kmip::ProtocolVersion version);
  client::KeyServerForTest::Answer GiveRole(kmip::ProtocolVersion version) const;
  std::unique_ptr<client::KeyServerForTest> server_;
};

// Writes a client.toml for the servers, beside the certificates of the test; its path.
std::string ConfigFileForTest(const std::string& name, const std::vector<client::Endpoint>& servers,
                              const std::string& more = {});

}  // namespace dare::lib
