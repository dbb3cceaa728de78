#include "libdare/wrapping_server_for_test.h"

#include <fstream>
#include <thread>

#include "base/check.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/notify.h"
#include "kmip/payloads/set_endpoint_role.h"
#include "kmip/single_request.h"
#include "kmip/tags.h"

namespace dare::lib {
namespace {

using client::KeyServerForTest;
using kmip::Operation;

crypto::Aead Kek() { return crypto::Aead::CreateOnOpenSsl(Bytes(32, 0x4b)).value(); }

WipingBytes Wrap(ttlv::Reader payload, kmip::ProtocolVersion version) {
  const auto request = kmip::EncryptRequest::Decode(payload, version).value();
  Bytes iv(crypto::kGcmIvSize), data = ToBytes(*request.data), tag(crypto::kGcmTagSize);
  CHECK(crypto::RandomBytes(iv));
  CHECK(Kek().SealInPlace(iv, request.aad.value_or(ByteView()), data, tag));
  const kmip::EncryptResponse response{
      .id = WrappingServerForTest::kKekId, .data = data, .iv = iv, .tag = tag};
  return KeyServerForTest::Success(Operation::kEncrypt, version,
                                   [&](ttlv::Writer& out) { response.Encode(out, version); });
}

WipingBytes Unwrap(ttlv::Reader payload, kmip::ProtocolVersion version) {
  const auto request = kmip::DecryptRequest::Decode(payload, version).value();
  WipingBytes data(request.data->begin(), request.data->end());
  if (!Kek().OpenInPlace(*request.iv, request.aad.value_or(ByteView()), data, *request.tag)) {
    return KeyServerForTest::Failure(Operation::kDecrypt, version,
                                     kmip::ResultReason::kCryptographicFailure, "no");
  }
  const kmip::DecryptResponse response{.id = WrappingServerForTest::kKekId, .data = data};
  return KeyServerForTest::Success(Operation::kDecrypt, version,
                                   [&](ttlv::Writer& out) { response.Encode(out, version); });
}

}  // namespace

WrappingServerForTest::WrappingServerForTest()
    : server_(std::make_unique<KeyServerForTest>(
          [this](const kmip::RequestItem& item, kmip::ProtocolVersion version) {
            return Answer(item, version);
          })) {}

WrappingServerForTest::~WrappingServerForTest() {
  hangs = false;
  server_.reset();
}

KeyServerForTest::Answer WrappingServerForTest::Answer(const kmip::RequestItem& item,
                                                       kmip::ProtocolVersion version) {
  while (hangs) std::this_thread::yield();
  const Operation operation = item.operation;
  if (operation == Operation::kLocate) {
    return KeyServerForTest::Success(operation, version, [](ttlv::Writer& out) {
      out.Text(kmip::Tag::kUniqueIdentifier, kKekId);
    });
  }
  if (operation == Operation::kSetEndpointRole) return GiveRole(version);
  const bool wraps_or_unwraps =
      operation == Operation::kEncrypt || operation == Operation::kDecrypt;
  if (denies || !wraps_or_unwraps) {
    return KeyServerForTest::Failure(operation, version, kmip::ResultReason::kPermissionDenied,
                                     "revoked");
  }
  const ttlv::Reader payload = item.payload.Members().value();
  ++(operation == Operation::kEncrypt ? wraps : unwraps);
  return operation == Operation::kEncrypt ? Wrap(payload, version) : Unwrap(payload, version);
}

KeyServerForTest::Answer WrappingServerForTest::GiveRole(kmip::ProtocolVersion version) const {
  if (refuses_listeners || knows_no_listeners) {
    return KeyServerForTest::Failure(Operation::kSetEndpointRole, version,
                                     refuses_listeners ? kmip::ResultReason::kPermissionDenied
                                                       : kmip::ResultReason::kOperationNotSupported,
                                     "no");
  }
  const kmip::SetEndpointRoleResponse response{kmip::EndpointRole::kClient};
  return KeyServerForTest::Success(Operation::kSetEndpointRole, version,
                                   [&](ttlv::Writer& out) { response.Encode(out, version); });
}

void WrappingServerForTest::Tell(kmip::State state) {
  const kmip::NotifyRequest told{.id = kKekId,
                                 .changed = {kmip::Attribute::OfEnumeration(
                                     kmip::Tag::kState, static_cast<std::uint32_t>(state))},
                                 .removed = {}};
  server_->Ask(kmip::SingleRequest(Operation::kNotify, kmip::kVersion2_1, [&](ttlv::Writer& out) {
    told.Encode(out, kmip::kVersion2_1);
  }));
}

std::string ConfigFileForTest(const std::string& name, const std::vector<client::Endpoint>& servers,
                              const std::string& more) {
  const std::string path = client::PkiFolderForTest() + "/" + name;
  std::ofstream out(path);
  out << more << "servers = [";
  for (const client::Endpoint& server : servers) out << '"' << server.ToString() << "\",";
  out << "]\nca_file = \"ca.crt\"\ncertificate_file = \"client.crt\"\nkey_file = \"client.key\"\n"
      << "default_key = \"test\"\n[timeouts]\nconnect_seconds = 5\nrequest_seconds = 20\n";
  return path;
}

}  // namespace dare::lib
