#include "server/https.h"

#include <gmock/gmock.h>

#include "server/handler.h"
#include "server/mailbox.h"

namespace dare::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class TellingRoutes : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest& request, const Caller&) override {
    HttpResponse response;
    response.body = request.method + "|" + request.path + "|" + request.authorization + "|" +
                    request.content_type + "|" + std::string(request.body);
    return response;
  }
};

class HttpsTest : public testing::Test {
 protected:
  std::string Ask(const std::string& request, Handled expected = Handled::kAnswered) {
    WipingBytes answer;
    const ReplyTo nowhere(mailbox_, 0);
    EXPECT_EQ(handler_.Handle(AsBytes(request), caller_, nowhere, answer), expected);
    return std::string(answer.begin(), answer.end());
  }
  Result<std::size_t> Size(const std::string& bytes) {
    return framing_.MessageSize(AsBytes(bytes), peer_);
  }
  std::uint64_t StatusOf(const std::string& bytes) {
    const auto size = Size(bytes);
    return size ? 0 : size.error().detail;
  }

  TellingRoutes routes_;
  HttpHandler handler_{routes_};
  HttpFraming framing_{{.header_bytes = 1024, .body_bytes = 2048}};
  Caller caller_;
  Peer peer_;
  std::shared_ptr<Mailbox> mailbox_ = std::move(*Mailbox::Make());
};

TEST_F(HttpsTest, KnowsWhereARequestEnds) {
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(*Size(get), get.size());
  EXPECT_EQ(*Size(get + get), get.size());
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(*Size(head), head.size() + 5);
  for (std::size_t i = 1; i < head.size(); ++i) EXPECT_EQ(*Size(head.substr(0, i)), 0u) << i;
}

TEST_F(HttpsTest, RefusesWhatIsTooLargeBeforeItComes) {
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: 2049\r\n\r\n"), 413u);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: 99999999999999999\r\n\r\n"), 413u);
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\nX: " + std::string(1024, 'a')), 431u);
}

TEST_F(HttpsTest, RefusesWhatCouldBeReadInTwoWays) {
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400u);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), 400u);
  EXPECT_NE(StatusOf("POST / HTTP/1.1\r\nContent-Length: 1\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n"),
            0u);
  EXPECT_EQ(StatusOf("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), 411u);
}

TEST_F(HttpsTest, RefusesGarbageAtItsFirstByte) {
  EXPECT_EQ(StatusOf(std::string("\x16\x03\x01", 3)), 400u);
  EXPECT_EQ(StatusOf("get / HTTP/1.1"), 400u);
  EXPECT_EQ(StatusOf("G@T / HTTP/1.1\r\n\r\n"), 400u);
  EXPECT_EQ(StatusOf("GET / HTTP/9.9\r\n\r\n"), 400u);
}

TEST_F(HttpsTest, TellsAClientThatWaitsToGoAhead) {
  const auto word = [&](const std::string& bytes) {
    return std::string(AsText(framing_.GoAhead(AsBytes(bytes))));
  };
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n";
  EXPECT_EQ(word(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(word(head.substr(0, head.size() - 1)), "");
  EXPECT_EQ(word(head + "b"), "");
  EXPECT_EQ(word("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), "");
  EXPECT_EQ(word("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"), "");
}

TEST_F(HttpsTest, AnswersARefusalBeforeItCloses) {
  const WipingBytes bytes = framing_.Refusal(Error(Code::kTooLarge, "HTTP body too large", 413));
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_THAT(text, StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
}

TEST_F(HttpsTest, GivesTheRouteWhatItAsksFor) {
  const std::string answer =
      Ask("POST /a?b=c HTTP/1.1\r\nHost: x\r\nauthorization: Basic Og==\r\n"
          "Content-Type: application/pkcs10\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nPOST|/a|Basic Og==|application/pkcs10|body"));
}

TEST_F(HttpsTest, ClosesWhenTheClientWantsToOrIsOld) {
  Ask("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", Handled::kAnsweredAndClose);
  Ask("GET / HTTP/1.0\r\n\r\n", Handled::kAnsweredAndClose);
}

}  // namespace
}  // namespace dare::server
