#include "conformance/connections.h"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "base/bytes.h"
#include "conformance/json_codec.h"
#include "conformance/ttlv_codec.h"
#include "conformance/xml_codec.h"

namespace dare::conformance {
namespace {

using kmip::Tag;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 64u << 20;
// How long to wait for what the server sends by itself.
constexpr std::chrono::seconds kPatience{5};

// A libcurl handle set up for one identity. libcurl speaks TLS for both transports; over the plain
// one we send and receive ourselves.
class Handle {
 public:
  Handle(const Access& access, std::size_t client, const std::string& url)
      : curl_(curl_easy_init()), url_(url) {
    if (curl_ == nullptr) return;
    Set(CURLOPT_URL, url_.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "https");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    Set(CURLOPT_ERRORBUFFER, error_);
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(access.timeout.count()));
    Set(CURLOPT_SSL_VERIFYHOST, access.check_name ? 2L : 0L);
    if (!access.ca.empty()) {
      Set(CURLOPT_CAINFO, access.ca.c_str());
      Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
    if (access.identities.empty()) return;
    const Identity& identity = access.identities[std::min(client, access.identities.size() - 1)];
    Set(CURLOPT_SSLCERT, identity.certificate.c_str());
    Set(CURLOPT_SSLKEY, identity.key.c_str());
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { curl_easy_cleanup(curl_); }

  CURL* get() const { return curl_; }
  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_, option, value) != CURLE_OK) refused_ = true;
  }
  Result<void> Perform() {
    if (curl_ == nullptr || refused_) return Error(Code::kInternal, "cannot set up TLS");
    error_[0] = '\0';
    const CURLcode code = curl_easy_perform(curl_);
    if (code == CURLE_OK) return {};
    return Failure(code);
  }
  Error Failure(CURLcode code) const {
    const bool told = error_[0] != '\0';
    return Error(code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kUnavailable,
                 told ? std::string(error_) : std::string(curl_easy_strerror(code)), code);
  }

 private:
  CURL* curl_;
  std::string url_;
  char error_[CURL_ERROR_SIZE] = "";
  bool refused_ = false;
};

// TTLV messages one after the other over TLS (kmip-profiles-2.1 3.3).
class TtlvPeer : public Peer {
 public:
  TtlvPeer(const Access& access, std::size_t client)
      : handle_(access, client, "https://" + access.server), timeout_(access.timeout) {}

  Result<void> Open() {
    handle_.Set(CURLOPT_CONNECT_ONLY, 1L);
    handle_.Set(CURLOPT_SSL_ENABLE_ALPN, 0L);
    TRY(handle_.Perform());
    curl_easy_getinfo(handle_.get(), CURLINFO_ACTIVESOCKET, &socket_);
    return {};
  }

  Result<Node> Ask(const Node& request) override {
    TRY(Send(EncodeTtlv(request)));
    const auto deadline = SteadyClock::now() + timeout_;
    for (;;) {
      Node message = TRY(Receive(deadline));
      if (message.tag != Tag::kRequestMessage) return message;
      asked_of_us_.push_back(std::move(message));
    }
  }

  Result<Node> NextRequest() override {
    if (asked_of_us_.empty())
      return Receive(SteadyClock::now() + std::min<std::chrono::milliseconds>(timeout_, kPatience));
    Node message = std::move(asked_of_us_.front());
    asked_of_us_.pop_front();
    return message;
  }

  Result<void> Answer(const Node& response) override { return Send(EncodeTtlv(response)); }

 private:
  Result<void> Await(short events, SteadyClock::time_point deadline) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd entry{static_cast<int>(socket_), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<long>(left, 0)));
    if (ready == 0) return Error(Code::kTimeout, "nothing came in time");
    return {};
  }

  Result<void> Send(ByteView bytes) {
    const auto deadline = SteadyClock::now() + timeout_;
    while (!bytes.empty()) {
      std::size_t sent = 0;
      const CURLcode code = curl_easy_send(handle_.get(), bytes.data(), bytes.size(), &sent);
      if (code == CURLE_AGAIN) {
        TRY(Await(POLLOUT, deadline));
      } else if (code != CURLE_OK) {
        return handle_.Failure(code);
      }
      bytes = bytes.subspan(sent);
    }
    return {};
  }

  Result<void> Fill(MutableBytes bytes, SteadyClock::time_point deadline) {
    while (!bytes.empty()) {
      std::size_t got = 0;
      const CURLcode code = curl_easy_recv(handle_.get(), bytes.data(), bytes.size(), &got);
      if (code == CURLE_AGAIN) {
        TRY(Await(POLLIN, deadline));
        continue;
      }
      if (code != CURLE_OK) return handle_.Failure(code);
      if (got == 0) return Error(Code::kUnavailable, "the server closed the connection");
      bytes = bytes.subspan(got);
    }
    return {};
  }

  Result<Node> Receive(SteadyClock::time_point deadline) {
    Bytes message(8);
    TRY(Fill(message, deadline));
    const std::uint64_t size = TtlvMessageSize(message);
    if (size > kLongestAnswer) return Error(Code::kMalformed, "an answer that is no KMIP message");
    message.resize(size);
    TRY(Fill(MutableBytes(message).subspan(8), deadline));
    return DecodeTtlv(message);
  }

  Handle handle_;
  const std::chrono::milliseconds timeout_;
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  std::deque<Node> asked_of_us_;
};

struct Syntax {
  const char* content_type;
  std::string (*write)(const Node&);
  Result<Node> (*parse)(std::string_view);
};

const Syntax& SyntaxOf(Encoding encoding) {
  static const Syntax kBinary{
      "application/octet-stream",
      [](const Node& node) { return std::string(AsText(EncodeTtlv(node))); },
      [](std::string_view text) { return DecodeTtlv(AsBytes(text)); }};
  static const Syntax kXmlText{"text/xml", &WriteXml, &ParseXml};
  static const Syntax kJsonText{"application/json", &WriteJson, &ParseJson};
  if (encoding == Encoding::kXml) return kXmlText;
  return encoding == Encoding::kJson ? kJsonText : kBinary;
}

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* to) noexcept {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size * count > kLongestAnswer) return 0;
  try {
    body.append(data, size * count);
  } catch (...) {
    return 0;
  }
  return size * count;
}

// A POST for each message (kmip-profiles-2.1 3.4 and 5.6).
class HttpsPeer : public Peer {
 public:
  HttpsPeer(const Access& access, std::size_t client, Encoding encoding)
      : handle_(access, client, access.https), syntax_(SyntaxOf(encoding)) {
    const std::string type = std::string("Content-Type: ") + syntax_.content_type;
    for (const char* line : {type.c_str(), "Cache-Control: no-cache", "Expect:"}) {
      headers_.reset(curl_slist_append(headers_.release(), line));
    }
    handle_.Set(CURLOPT_HTTPHEADER, headers_.get());
    handle_.Set(CURLOPT_TIMEOUT_MS, static_cast<long>(access.timeout.count()));
    handle_.Set(CURLOPT_WRITEFUNCTION, &Collect);
    handle_.Set(CURLOPT_WRITEDATA, static_cast<void*>(&body_));
  }

  Result<Node> Ask(const Node& request) override {
    const std::string text = syntax_.write(request);
    body_.clear();
    handle_.Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(text.size()));
    handle_.Set(CURLOPT_POSTFIELDS, text.c_str());
    TRY(handle_.Perform());
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
      return Error(Code::kUnavailable,
                   "HTTP status " + std::to_string(status) + ": " + body_.substr(0, 200));
    }
    const char* type = nullptr;
    curl_easy_getinfo(handle_.get(), CURLINFO_CONTENT_TYPE, &type);
    if (type == nullptr || !std::string_view(type).starts_with(syntax_.content_type)) {
      return Error(Code::kMalformed,
                   std::string("answered with Content-Type ") + (type != nullptr ? type : "none"));
    }
    return syntax_.parse(body_);
  }

  Result<Node> NextRequest() override {
    return Error(Code::kUnsupported,
                 "over HTTPS a server asks by connecting to the client, which the judge does not "
                 "listen for");
  }
  Result<void> Answer(const Node&) override { return Error(Code::kUnsupported, "nothing asked"); }

 private:
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  Handle handle_;
  const Syntax& syntax_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::string body_;
};

}  // namespace

std::string HttpsUrl(const std::string& given) {
  if (given.empty() || given.find("://") != std::string::npos) return given;
  return "https://" + given + "/kmip";
}

bool Reaches(const Access& access, Encoding encoding) {
  return !(encoding == Encoding::kTtlv ? access.server : access.https).empty();
}

Connect ConnectBy(const Access& access, Encoding encoding) {
  return [access, encoding](std::size_t client) -> Result<std::unique_ptr<Peer>> {
    if (encoding != Encoding::kTtlv) {
      return std::unique_ptr<Peer>(new HttpsPeer(access, client, encoding));
    }
    auto peer = std::make_unique<TtlvPeer>(access, client);
    TRY(peer->Open());
    return std::unique_ptr<Peer>(std::move(peer));
  };
}

}  // namespace dare::conformance
