#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/random_source.h"
#include "engine/object_policy.h"
#include "engine/server_facts.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "policy/principal.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::audit {
class AuditLog;
}
namespace dare::hsm {
class MemorySealerForTest;
}
namespace dare::store {
class ObjectStore;
}

namespace dare::engine {

class CertificateIssuer;
class Endpoint;
class Kms;
struct KmsOptions;

// What one batch item answered.
struct ItemForTest {
  bool success = false;
  kmip::ResultReason reason{};
  std::string message;
  WipingBytes payload;  // the members of the Response Payload

  ttlv::Reader in() const { return ttlv::Reader::Members(payload); }
};

// A whole KMS over a memory store, a memory sealer, a clock that stands still and an audit log in a
// temporary folder. Messages go the way a server sends them: to the reading side first, to the
// writer when something changes.
class EngineForTest {
 public:
  explicit EngineForTest(bool allow_legacy = false, ServerFacts facts = {},
                         crypto::RandomGenerator random_generator = crypto::RandomGenerator::kDrbg);
  explicit EngineForTest(KmsOptions options);
  ~EngineForTest();

  // One whole message in, one whole message out.
  WipingBytes Exchange(ByteView request, const std::string& principal = "alice",
                       bool administrator = false);

  // One operation as a message of one item.
  template <typename Request>
  ItemForTest Do(const Request& request, kmip::ProtocolVersion version = kmip::kVersion2_1,
                 const std::string& principal = "alice", bool administrator = false) {
    ttlv::Writer out;
    request.Encode(out, version);
    return DoEncoded(Request::kOperation, out.bytes(), version, principal, administrator);
  }
  // The same, and the response decoded; aborts the test when it was refused.
  template <typename Response, typename Request>
  Response Must(const Request& request, kmip::ProtocolVersion version = kmip::kVersion2_1) {
    const ItemForTest item = Do(request, version);
    if (!item.success) Fail("refused: " + item.message);
    ttlv::Reader in = item.in();
    auto response = Response::Decode(in, version);
    if (!response) Fail("unreadable answer: " + response.error().message);
    return std::move(*response);
  }
  ItemForTest DoEncoded(kmip::Operation operation, ByteView payload, kmip::ProtocolVersion version,
                        const std::string& principal = "alice", bool administrator = false);

  // A symmetric AES key of alice's, registered straight into the store; `attributes` are added to
  // or replace the usual ones (Active, Encrypt|Decrypt). Returns its Unique Identifier.
  std::string AddAesKey(ByteView key, const std::vector<kmip::Attribute>& attributes = {},
                        const std::string& owner = "alice");

  // The same for any object, `material` being its whole structure. Active, and nothing more.
  std::string AddObject(kmip::ObjectType type, SecretBytes material,
                        const std::vector<kmip::Attribute>& attributes = {},
                        const std::string& owner = "alice");

  // The lines that the audit log has by now.
  std::vector<std::string> AuditLines();

  // Connections of callers from now on; null, as at first: such that nothing can be sent to.
  void UseEndpoint(std::shared_ptr<Endpoint> endpoint) { endpoint_ = std::move(endpoint); }

  ManualClockForTest& clock() { return clock_; }
  hsm::MemorySealerForTest& sealer() { return *sealer_; }
  store::ObjectStore& store() { return *store_; }
  Kms& kms() { return *kms_; }
  // Signs for Certify from now on; outlives the engine.
  void UseIssuer(const CertificateIssuer* issuer);
  // What the configuration would say about objects; restarts.
  void UseObjectPolicy(ObjectPolicy policy);
  // A new KMS on the same store: what a restart does.
  void Restart();

 private:
  [[noreturn]] static void Fail(const std::string& why);

  std::unique_ptr<KmsOptions> options_;
  std::shared_ptr<Endpoint> endpoint_;
  ManualClockForTest clock_;
  std::string folder_;
  std::unique_ptr<hsm::MemorySealerForTest> sealer_;
  std::unique_ptr<store::ObjectStore> store_;
  std::unique_ptr<audit::AuditLog> audit_;
  std::unique_ptr<Kms> kms_;
};

}  // namespace dare::engine
