#include "client/key_server_for_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "kmip/tags.h"

namespace dare::client {
namespace {

class PkiFolder {
 public:
  PkiFolder() {
    ::signal(SIGPIPE, SIG_IGN);
    std::string name = "/tmp/dare-client-test-XXXXXX";
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
    MakeCa("ca");
    MakeLeaf("ca", "server", "-addext subjectAltName=IP:127.0.0.1");
    MakeLeaf("ca", "client", "");
    MakeCa("other-ca");
    MakeLeaf("other-ca", "other", "-addext subjectAltName=IP:127.0.0.1");
  }
  ~PkiFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  void Run(const std::string& name, const std::string& options) const {
    const std::string command = "cd " + path_ +
                                " && umask 077 && openssl req -x509 -newkey ec -pkeyopt "
                                "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
                                name + " -keyout " + name + ".key -out " + name + ".crt " +
                                options + " 2>openssl.log";
    CHECK(std::system(command.c_str()) == 0);
  }
  void MakeCa(const std::string& name) const { Run(name, ""); }
  void MakeLeaf(const std::string& ca, const std::string& name, const std::string& more) const {
    Run(name, "-CA " + ca + ".crt -CAkey " + ca + ".key -addext basicConstraints=CA:FALSE " + more);
  }
  std::string path_;
};

bool ReadAll(SSL* ssl, std::uint8_t* at, std::size_t size) {
  while (size > 0) {
    const int n = SSL_read(ssl, at, static_cast<int>(size));
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

std::optional<WipingBytes> ReadMessage(SSL* ssl) {
  std::uint8_t head[8];
  if (!ReadAll(ssl, head, sizeof head)) return std::nullopt;
  WipingBytes bytes(sizeof head + GetU32(head + 4));
  std::copy(std::begin(head), std::end(head), bytes.begin());
  if (!ReadAll(ssl, bytes.data() + sizeof head, bytes.size() - sizeof head)) return std::nullopt;
  return bytes;
}

bool WriteAll(SSL* ssl, const WipingBytes& message) {
  return SSL_write(ssl, message.data(), static_cast<int>(message.size())) > 0;
}

bool GivesRole(ByteView request, ByteView answer) {
  const auto asked = kmip::RequestMessage::Open(request)->Next();
  if (!asked || asked->operation != kmip::Operation::kSetEndpointRole) return false;
  auto said = kmip::ResponseMessage::Open(answer);
  return said && said->Next()->status == kmip::ResultStatus::kSuccess;
}

WipingBytes Message(const kmip::ResponseItem& item, kmip::ProtocolVersion version,
                    const std::function<void(ttlv::Writer&)>& payload) {
  ttlv::Writer out;
  out.Structure(kmip::Tag::kResponseMessage, [&] {
    kmip::WriteResponseHeader(out, {.version = version, .batch_count = 1});
    out.Structure(kmip::Tag::kBatchItem, [&] {
      kmip::WriteResponseItemHead(out, item);
      if (payload) out.Structure(kmip::Tag::kResponsePayload, [&] { payload(out); });
    });
  });
  return out.Take();
}

}  // namespace

const std::string& PkiFolderForTest() {
  static const PkiFolder folder;
  return folder.path();
}

KeyServerForTest::KeyServerForTest(Handler handler, const std::string& certificate,
                                   const std::string& client_ca)
    : KeyServerForTest(
          [handler = std::move(handler)](kmip::RequestMessage& message) {
            const auto item = message.Next();
            CHECK(item.has_value());
            return handler(*item, message.header().version);
          },
          certificate, client_ca) {}

KeyServerForTest::KeyServerForTest(MessageHandler handler, const std::string& certificate,
                                   const std::string& client_ca)
    : handler_(std::move(handler)), context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
  const std::string at = PkiFolderForTest() + "/";
  CHECK(SSL_CTX_use_certificate_chain_file(context_.get(), (at + certificate + ".crt").c_str()) ==
        1);
  CHECK(SSL_CTX_use_PrivateKey_file(context_.get(), (at + certificate + ".key").c_str(),
                                    SSL_FILETYPE_PEM) == 1);
  CHECK(SSL_CTX_load_verify_file(context_.get(), (at + client_ca + ".crt").c_str()) == 1);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_session_id_context(context_.get(), reinterpret_cast<const unsigned char*>("t"), 1);
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(listener_, 64) == 0);
  CHECK(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { Accept(); });
}

KeyServerForTest::~KeyServerForTest() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  acceptor_.join();
  Drop();
  connections_.clear();  // joins
  ::close(listener_);
}

void KeyServerForTest::Drop() {
  const std::lock_guard lock(mutex_);
  for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  for (Listener& listener : listeners_) listener.dropped = true;
  asked_.notify_all();
}

int KeyServerForTest::listeners() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(listeners_.size());
}

void KeyServerForTest::Ask(const WipingBytes& message) {
  const std::lock_guard lock(mutex_);
  for (Listener& listener : listeners_) listener.waiting.push_back(message);
  asked_.notify_all();
}

std::vector<WipingBytes> KeyServerForTest::responses() const {
  const std::lock_guard lock(mutex_);
  return responses_;
}

void KeyServerForTest::AskUntilGone(SSL* ssl) {
  std::unique_lock lock(mutex_);
  const auto self = listeners_.emplace(listeners_.end());
  while (!self->dropped) {
    if (self->waiting.empty()) {
      pollfd unasked{SSL_get_fd(ssl), POLLIN, 0};
      if (::poll(&unasked, 1, 0) != 0) break;  // it says good-bye
      asked_.wait_for(lock, std::chrono::milliseconds(5));
      continue;
    }
    const WipingBytes message = std::move(self->waiting.front());
    self->waiting.pop_front();
    lock.unlock();
    std::optional<WipingBytes> response;
    if (WriteAll(ssl, message)) response = ReadMessage(ssl);
    lock.lock();
    if (!response) break;
    responses_.push_back(*std::move(response));
  }
  listeners_.erase(self);
}

void KeyServerForTest::Accept() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++accepted_;
    const std::lock_guard lock(mutex_);
    open_.push_back(socket);
    connections_.emplace_back([this, socket] { Serve(socket); });
  }
}

void KeyServerForTest::Serve(int socket) {
  SSL* ssl = SSL_new(context_.get());
  SSL_set_fd(ssl, socket);
  bool open = SSL_accept(ssl) == 1;
  while (open) {
    const std::optional<WipingBytes> bytes = ReadMessage(ssl);
    if (!bytes) break;
    ++requests_;
    auto message = kmip::RequestMessage::Open(*bytes);
    CHECK(message.has_value());
    const Answer answer = handler_(*message);
    open = answer && WriteAll(ssl, *answer);
    if (!open || !GivesRole(*bytes, *answer)) continue;
    AskUntilGone(ssl);
    break;
  }
  {
    const std::lock_guard lock(mutex_);
    open_.erase(std::find(open_.begin(), open_.end(), socket));
  }
  SSL_free(ssl);
  ERR_clear_error();
  ::close(socket);
}

WipingBytes KeyServerForTest::Success(kmip::Operation operation, kmip::ProtocolVersion version,
                                      const std::function<void(ttlv::Writer&)>& payload) {
  kmip::ResponseItem item;
  item.operation = operation;
  return Message(item, version, payload);
}

WipingBytes KeyServerForTest::Failure(kmip::Operation operation, kmip::ProtocolVersion version,
                                      kmip::ResultReason reason, const std::string& message) {
  kmip::ResponseItem item;
  item.operation = operation;
  item.status = kmip::ResultStatus::kOperationFailed;
  item.reason = reason;
  item.message = message;
  return Message(item, version, nullptr);
}

Config ConfigForTest(std::vector<Endpoint> servers) {
  const std::string at = PkiFolderForTest() + "/";
  Config config;
  config.servers = std::move(servers);
  config.ca_file = at + "ca.crt";
  config.certificate_file = at + "client.crt";
  config.key_file = at + "client.key";
  config.connect_timeout = std::chrono::milliseconds(5000);
  config.request_timeout = std::chrono::milliseconds(10000);
  return config;
}

}  // namespace dare::client
