#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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

namespace dare::kmip {
struct ResponseItem;
}

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
    const Answer answer = TRY(Ask(Request::kOperation, &WritePayload<Request>, &request));
    return DecodePayload<Response>(answer.payload);
  }

  // Many requests of one operation that changes nothing, at most kMostBatchItems in a message, and
  // fewer where the server refuses so many. Each has an answer of its own, in the order of
  // `requests`; an error of the whole message stands for each of its requests.
  template <typename Response, typename Request>
  std::vector<Result<Response>> CallMany(std::span<const Request> requests) {
    std::vector<const void*> each;
    std::vector<Result<Response>> answers;
    for (const Request& request : requests) {
      each.push_back(&request);
      answers.emplace_back(Unanswered());
    }
    const PayloadReader read = [&](std::size_t index, const Result<ttlv::Item>& payload) {
      if (payload) {
        answers[index] = DecodePayload<Response>(*payload);
      } else {
        answers[index] = payload.error();
      }
    };
    AskMany({Request::kOperation, &WritePayload<Request>, each, read});
    return answers;
  }
  static constexpr std::size_t kMostBatchItems = 128;

  // Call, on a connection of the caller's own: asked once, whatever becomes of it.
  template <typename Response, typename Request>
  Result<Response> CallOn(Connection& connection, const Request& request,
                          const Deadline& deadline) {
    const void* const only[] = {&request};
    const WipingBytes message =
        Encode(version(), Request::kOperation, &WritePayload<Request>, only);
    WipingBytes bytes = TRY(connection.Exchange(message, pool_->limits(), deadline));
    const Answer answer = TRY(ReadAnswer(Request::kOperation, std::move(bytes)));
    return DecodePayload<Response>(answer.payload);
  }

  // Asks one server which versions it speaks, on a connection of its own.
  Result<PingReport> Ping(const Endpoint& endpoint);

  // How many messages were sent until now, repeated ones included; of all copies together.
  std::uint64_t messages() const { return pool_->messages(); }
  kmip::ProtocolVersion version() const { return config().kmip_version; }
  const Config& config() const { return pool_->config(); }
  Pool& pool() const { return *pool_; }

 private:
  // The payload is a view into the bytes.
  struct Answer {
    WipingBytes bytes;
    ttlv::Item payload;
  };
  using PayloadWriter = void (*)(ttlv::Writer& out, kmip::ProtocolVersion version,
                                 const void* request);
  // Called for each request; its last word counts. The payload lives no longer than the call.
  using PayloadReader = std::function<void(std::size_t index, const Result<ttlv::Item>& payload)>;
  struct ManyRequests {
    kmip::Operation operation;
    PayloadWriter write;
    std::span<const void* const> requests;
    const PayloadReader& read;
  };

  template <typename Request>
  static void WritePayload(ttlv::Writer& out, kmip::ProtocolVersion version, const void* request) {
    static_cast<const Request*>(request)->Encode(out, version);
  }

  template <typename Response>
  Result<Response> DecodePayload(const ttlv::Item& item) const {
    ttlv::Reader payload = TRY(item.Members());
    return Response::Decode(payload, version());
  }

  explicit KmsClient(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}
  Deadline NewDeadline() const;
  // Without an identity where it is empty.
  static WipingBytes Encode(kmip::ProtocolVersion version, kmip::Operation operation,
                            PayloadWriter write, std::span<const void* const> requests,
                            std::string_view identity = {}, bool critical = false);
  Result<Answer> Ask(kmip::Operation operation, PayloadWriter write, const void* request);
  Result<Answer> ReadAnswer(kmip::Operation operation, WipingBytes bytes) const;
  // The payload of a good answer to one item.
  Result<ttlv::Item> ReadItem(kmip::Operation operation, kmip::ProtocolVersion answered_in,
                              const kmip::ResponseItem& item) const;

  static Error Unanswered();
  void AskMany(const ManyRequests& many);
  // Those of `many` whose numbers are in `which`: in one message, or in halves.
  void AskSome(const ManyRequests& many, std::span<const std::size_t> which);
  // In one message. Gives the numbers of those for which there was no room; the error when the
  // message as a whole was refused.
  Result<std::vector<std::size_t>> AskAtOnce(const ManyRequests& many,
                                             std::span<const std::size_t> which);

  const std::shared_ptr<Pool> pool_;
  std::optional<Deadline> limit_;  // constant after construction
};

}  // namespace dare::client
