#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_bytes.h"
#include "client/config.h"
#include "client/pool.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/item.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::client {

// What `dare ping` tells of one server.
struct PingReport {
  Endpoint endpoint;
  std::vector<kmip::ProtocolVersion> versions;  // best first
  std::chrono::microseconds connect{};          // TCP and TLS
  std::chrono::microseconds round_trip{};       // one operation on the open connection
  std::string tls_version;
  std::string cipher_suite;
  std::string server_subject;
};

// A KmsClient asks key servers, one typed call an operation:
//
//   kmip::ActivateRequest request{.id = kmip::Identifier(id)};
//   TRY(client->Call<kmip::ActivateResponse>(request));
//
// Errors: those of result_reason.h when the server refused; kUnavailable, kTimeout,
// kUnauthenticated when none answered; kMalformed when an answer is none. Each change carries an
// identity of its own (kmip/request_identity.h), so that it is safely asked for again when its
// answer was lost. Copies share connections and what is known of the servers. Thread-safe.
class KmsClient {
 public:
  // Reads certificate, key and CA; talks to nobody yet.
  static Result<std::unique_ptr<KmsClient>> Create(const Config& config,
                                                   const std::atomic<bool>* cancelled = nullptr,
                                                   const Clock& clock = SystemClock::Get());

  // This client for a while: all that is asked through it together waits until `limit` at most, and
  // ends when that is cancelled.
  KmsClient Within(const Deadline& limit) const;

  template <typename Response, typename Request>
  Result<Response> Call(const Request& request) {
    Answer answer = TRY(Ask(Request::kOperation, &WritePayload<Request>, &request));
    ttlv::Reader payload = TRY(answer.payload.Members());
    return Response::Decode(payload, version());
  }

  // Asks one server which versions it speaks, on a connection of its own.
  Result<PingReport> Ping(const Endpoint& endpoint);

  kmip::ProtocolVersion version() const { return config().kmip_version; }
  const Config& config() const { return pool_->config(); }

 private:
  // The payload is a view into the bytes.
  struct Answer {
    WipingBytes bytes;
    ttlv::Item payload;
  };
  using PayloadWriter = void (*)(ttlv::Writer& out, kmip::ProtocolVersion version,
                                 const void* request);

  template <typename Request>
  static void WritePayload(ttlv::Writer& out, kmip::ProtocolVersion version, const void* request) {
    static_cast<const Request*>(request)->Encode(out, version);
  }

  explicit KmsClient(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  Deadline NewDeadline() const;
  // Without an identity where it is empty.
  static WipingBytes Encode(kmip::ProtocolVersion version, kmip::Operation operation,
                            PayloadWriter write, const void* request,
                            std::string_view identity = {}, bool critical = false);
  Result<Answer> Ask(kmip::Operation operation, PayloadWriter write, const void* request);
  Result<Answer> ReadAnswer(kmip::Operation operation, WipingBytes bytes) const;

  const std::shared_ptr<Pool> pool_;
  std::optional<Deadline> limit_;  // constant after construction
};

}  // namespace dare::client
