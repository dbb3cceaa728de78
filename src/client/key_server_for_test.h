#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/config.h"
#include "kmip/message.h"
#include "ttlv/writer.h"

struct ssl_st;
struct ssl_ctx_st;

namespace dare::client {

// A folder with a CA ("ca"), a server's certificate for 127.0.0.1 ("server"), a client's
// ("client"), and the same of a CA nobody knows ("other-ca", "other"); each NAME.crt and NAME.key.
// Made once per process, by the openssl program; removed at its end.
const std::string& PkiFolderForTest();

// A TLS server that answers KMIP requests as a test tells it to, on a free port of 127.0.0.1. Each
// connection has a thread. Where the answer to Set Endpoint Role was a success, the server asks
// from then on. Ends, and ends its connections, when it dies.
class KeyServerForTest {
 public:
  // What happens to a request; nothing closes the connection without an answer.
  using Answer = std::optional<WipingBytes>;
  using Handler = std::function<Answer(const kmip::RequestItem& item, kmip::ProtocolVersion)>;

  // The same for a message of any number of items.
  using MessageHandler = std::function<Answer(kmip::RequestMessage& message)>;

  explicit KeyServerForTest(Handler handler, const std::string& certificate = "server",
                            const std::string& client_ca = "ca");
  explicit KeyServerForTest(MessageHandler handler, const std::string& certificate = "server",
                            const std::string& client_ca = "ca");
  ~KeyServerForTest();

  Endpoint endpoint() const { return {"127.0.0.1", port_}; }
  int accepted() const { return accepted_; }
  int requests() const { return requests_; }
  // Closes the connections that are open now.
  void Drop();
  // How many connections there are on which the server asks.
  int listeners() const;
  // Sends the message on each of them.
  void Ask(const WipingBytes& message);
  // What was answered to that until now.
  std::vector<WipingBytes> responses() const;

  static WipingBytes Success(kmip::Operation operation, kmip::ProtocolVersion version,
                             const std::function<void(ttlv::Writer&)>& payload);
  static WipingBytes Failure(kmip::Operation operation, kmip::ProtocolVersion version,
                             kmip::ResultReason reason, const std::string& message);

 private:
  struct Listener {
    std::deque<WipingBytes> waiting;
    bool dropped = false;
  };
  void Accept();
  void Serve(int socket);
  void AskUntilGone(ssl_st* ssl);

  const MessageHandler handler_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::atomic<int> requests_{0};
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::list<Listener> listeners_;        // guarded by mutex_
  std::vector<WipingBytes> responses_;   // guarded by mutex_
  std::vector<int> open_;                // sockets, guarded by mutex_
  std::list<std::jthread> connections_;  // guarded by mutex_
  std::jthread acceptor_;
};

// A configuration for the servers, with short times.
Config ConfigForTest(std::vector<Endpoint> servers);

}  // namespace dare::client
