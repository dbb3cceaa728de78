#include "server/kmip_over_https.h"

#include <gmock/gmock.h>

#include "kmip/vocabulary.h"
#include "server/mailbox.h"
#include "ttlv/json.h"
#include "ttlv/xml.h"

namespace dare::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kXml = R"(<RequestMessage><BatchItem/></RequestMessage>)";
constexpr std::string_view kJson =
    R"({"tag":"RequestMessage", "value":[ {"tag":"BatchItem", "value":[]} ]})";

WipingBytes Ttlv() { return *ttlv::FromXml(AsBytes(kXml), kmip::Vocabulary()); }

// Answers what it was asked, as told.
class Echo : public RequestHandler {
 public:
  std::shared_ptr<const void> Meet(const Peer& peer) override {
    return std::make_shared<std::string>(peer.common_name);
  }
  Handled Handle(ByteView request, const Caller& caller, const ReplyTo& later,
                 WipingBytes& answer) override {
    who = *static_cast<const std::string*>(caller.principal.get());
    if (how == Handled::kLater) {
      late.emplace(later.Defer());
    } else {
      answer.assign(request.begin(), request.end());
    }
    asked.assign(request.begin(), request.end());
    return how;
  }
  Handled HandleUnreadable(const Error& error, ByteView begun, const Caller&,
                           WipingBytes& answer) override {
    asked.assign(begun.begin(), begun.end());
    unreadable = error.message;
    answer = Ttlv();
    return Handled::kAnswered;
  }
  Result<void> Flush() override {
    ++flushes;
    return {};
  }

  Handled how = Handled::kAnswered;
  std::string who, unreadable;
  WipingBytes asked;
  std::optional<Reply> late;
  int flushes = 0;
};

class NoRoutes : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest&, const Caller&) override {
    HttpResponse response;
    response.status = 404;
    return response;
  }
};

class KmipOverHttpsTest : public testing::Test {
 protected:
  KmipOverHttpsTest() {
    Peer peer;
    peer.common_name = "web1";
    peer.fingerprint = "ab";
    caller_.peer = std::make_shared<const Peer>(peer);
    caller_.principal = handler_.Meet(peer);
    (void)handler_.Flush();
    echo_.flushes = 0;
  }
  static std::string Post(std::string_view type, std::string_view body,
                          std::string_view more = "") {
    return "POST /kmip HTTP/1.1\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more) +
           "\r\n" + std::string(body);
  }
  std::string Ask(const std::string& request, Handled expected = Handled::kAnswered) {
    WipingBytes answer;
    EXPECT_EQ(handler_.Handle(AsBytes(request), caller_, ReplyTo(mailbox_, 7), answer), expected);
    return std::string(AsText(answer));
  }

  Echo echo_;
  NoRoutes routes_;
  ttlv::Limits limits_{.max_message_bytes = 1024};
  KmipOverHttps kmip_{echo_, limits_};
  HttpHandler handler_{routes_, &kmip_};
  Caller caller_;
  std::shared_ptr<Mailbox> mailbox_ = std::move(*Mailbox::Make());
};

TEST_F(KmipOverHttpsTest, AnswersInTheEncodingOfTheRequest) {
  const WipingBytes ttlv = Ttlv();
  for (const auto& [type, body] :
       {std::pair("application/octet-stream", AsText(ttlv)), std::pair("text/xml", kXml),
        std::pair("application/json", kJson)}) {
    const std::string answer = Ask(Post(type, body));
    EXPECT_EQ(echo_.asked, ttlv) << type;
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: " + std::string(type) + "\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-cache\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n" + std::string(body)));
  }
  EXPECT_EQ(echo_.who, "web1");
}

TEST_F(KmipOverHttpsTest, KnowsTypesByTheirNameOnly) {
  EXPECT_THAT(Ask(Post("Text/XML; charset=utf-8", kXml)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask(Post("text/plain", kXml)), StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(Ask(Post("", kXml)), StartsWith("HTTP/1.1 415 "));
}

TEST_F(KmipOverHttpsTest, FinishesLateAnswersOnTheWayOut) {
  echo_.how = Handled::kLater;
  EXPECT_EQ(Ask(Post("text/xml", kXml, "Connection: close\r\n"), Handled::kLater), "");
  echo_.late->Send(Ttlv());
  Mail mail = mailbox_->Take();
  ASSERT_EQ(mail.answers.size(), 1u);
  EXPECT_EQ(mail.answers[0].connection, 7u);
  WipingBytes& bytes = *mail.answers[0].bytes;
  EXPECT_EQ(bytes, Ttlv());
  EXPECT_EQ(mail.answers[0].finish(bytes), Handled::kAnsweredAndClose);
  EXPECT_THAT(std::string(AsText(bytes)), EndsWith("\r\n\r\n" + std::string(kXml)));
}

TEST_F(KmipOverHttpsTest, AsksOnlyClientsWithACertificate) {
  caller_.peer = std::make_shared<const Peer>();
  EXPECT_THAT(Ask(Post("text/xml", kXml)), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(echo_.asked.empty());
}

TEST_F(KmipOverHttpsTest, TakesPostsOnly) {
  const std::string answer = Ask("GET /kmip HTTP/1.1\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: POST\r\n"));
}

TEST_F(KmipOverHttpsTest, AnswersInKmipWhatCannotBeRead) {
  const std::string answer = Ask(Post("text/xml", "<RequestMessage>"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer, EndsWith(std::string(kXml)));
  EXPECT_THAT(echo_.unreadable, StartsWith("XML line 1"));
  EXPECT_EQ(ToHex(echo_.asked), "4200780100000000");
  Ask(Post("application/json", "{}"));
  EXPECT_THAT(echo_.unreadable, StartsWith("JSON"));
  // Over the limits of TTLV, however short it is here.
  std::string many = "<RequestMessage>";
  for (int i = 0; i < 200; ++i) many += "<BatchItem/>";
  Ask(Post("text/xml", many + "</RequestMessage>"));
  EXPECT_THAT(echo_.unreadable, HasSubstr("over the length limit"));
}

TEST_F(KmipOverHttpsTest, KeepsConnectionsAsTheClientWishes) {
  EXPECT_THAT(Ask(Post("text/xml", kXml)), Not(HasSubstr("Connection:")));
  EXPECT_THAT(Ask(Post("text/xml", kXml, "Connection: close\r\n"), Handled::kAnsweredAndClose),
              HasSubstr("Connection: close\r\n"));
  // What OASIS printed: "POST /kmip HTTP/1.0 … Connection: keep-alive".
  std::string old = Post("text/xml", kXml, "Connection: keep-alive\r\n");
  old.replace(old.find("1.1"), 3, "1.0");
  EXPECT_THAT(Ask(old), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(KmipOverHttpsTest, FlushesOnlyAfterKmip) {
  Ask("GET /healthz HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(handler_.Flush().has_value());
  EXPECT_EQ(echo_.flushes, 0);
  Ask(Post("text/xml", kXml));
  Ask(Post("text/xml", "<"));
  EXPECT_TRUE(handler_.Flush().has_value());
  EXPECT_EQ(echo_.flushes, 1);
}

TEST_F(KmipOverHttpsTest, SaysWhenAnAnswerHasCharactersThatXmlLacks) {
  const std::string_view json = R"({"tag":"ResultMessage", "type":"TextString", "value":"\u0001"})";
  echo_.how = Handled::kLater;
  Ask(Post("text/xml", kXml), Handled::kLater);
  echo_.late->Send(*ttlv::FromJson(AsBytes(json), kmip::Vocabulary()));
  Mail mail = mailbox_->Take();
  (void)mail.answers[0].finish(*mail.answers[0].bytes);
  EXPECT_THAT(std::string(AsText(*mail.answers[0].bytes)), StartsWith("HTTP/1.1 500 "));
}

TEST_F(KmipOverHttpsTest, IsNotThereWhenItIsSwitchedOff) {
  HttpHandler without(routes_);
  WipingBytes answer;
  (void)without.Handle(AsBytes(Post("text/xml", kXml)), caller_, ReplyTo(mailbox_, 7), answer);
  EXPECT_THAT(std::string(AsText(answer)), StartsWith("HTTP/1.1 404 "));
}

TEST_F(KmipOverHttpsTest, LetsOnlyClientsWithACertificateSendLargeBodies) {
  const HttpFraming framing({.body_bytes = 10, .kmip_body_bytes = 1000});
  const auto fits = [&](std::string_view path, const Peer& peer) {
    const std::string head =
        "POST " + std::string(path) + " HTTP/1.1\r\nContent-Length: 1000\r\n\r\n";
    return framing.MessageSize(AsBytes(head), peer).has_value();
  };
  EXPECT_TRUE(fits("/kmip", *caller_.peer));
  EXPECT_TRUE(fits("/kmip?x", *caller_.peer));
  EXPECT_FALSE(fits("/kmip", Peer()));
  EXPECT_FALSE(fits("/kmipx", *caller_.peer));
}

}  // namespace
}  // namespace dare::server
