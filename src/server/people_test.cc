#include "server/people.h"

#include <gmock/gmock.h>

#include "identity/token_check.h"

namespace dare::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Says who asked.
class NextForTest : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest&, const Caller& caller) override {
    who.push_back((caller.peer->person ? "person " : "peer ") + caller.peer->common_name);
    return {};
  }
  std::vector<std::string> who;
};

// RFC 8037's key; the tokens of people are signed in src/identity's tests.
constexpr char kKeys[] =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

class PeopleRoutesTest : public testing::Test {
 protected:
  HttpResponse Ask(const std::string& authorization, const std::string& path = "/admin/v1/policy") {
    HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.authorization = authorization;
    Peer peer;
    peer.address = "10.0.0.1";
    peer.common_name = "machine";
    peer.fingerprint = "ab";
    return routes_.Serve(request, {std::make_shared<const Peer>(peer), nullptr});
  }

  ManualClockForTest clock_;
  std::optional<std::string> keys_ = kKeys;
  identity::KeySource source_{[this]() -> Result<std::string> {
                                if (!keys_) return Error(Code::kTimeout, "away");
                                return *keys_;
                              },
                              {},
                              clock_};
  identity::TokenCheck tokens_{{.claims = {.issuer = "i", .audience = "a", .name = "*"},
                                .algorithms = {identity::TokenAlgorithm::kEdDsa}},
                               source_,
                               clock_};
  NextForTest next_;
  std::vector<AdminEvent> events_;
  Result<void> recorded_;
  PeopleRoutes routes_{next_, tokens_, [this](const AdminEvent& event) {
                         events_.push_back(event);
                         return recorded_;
                       }};
};

TEST_F(PeopleRoutesTest, LeavesWhoShowsNoTokenAsHeIs) {
  for (const char* header : {"", "Basic OmFi", "Bearer", "Bearerx y", "bear er"}) Ask(header);
  EXPECT_THAT(next_.who, testing::Each("peer machine"));
  EXPECT_EQ(next_.who.size(), 5u);
  EXPECT_TRUE(events_.empty());
}

TEST_F(PeopleRoutesTest, LooksAtTokensForAdministrationAlone) {
  Ask("Bearer nonsense", "/.well-known/est/simpleenroll");
  Ask("Bearer nonsense", "/healthz");
  EXPECT_THAT(next_.who, ElementsAre("peer machine", "peer machine"));
}

TEST_F(PeopleRoutesTest, ABadTokenIsAnsweredWithOneTextAndRecorded) {
  // The second one is well made, and of a signature that is none.
  for (const char* token :
       {"nonsense", "eyJhbGciOiJFZERTQSJ9.e30.AAAA", "eyJhbGciOiJub25lIn0.e30."}) {
    for (const char* scheme : {"Bearer ", "bearer ", "BEARER  "}) {
      const HttpResponse response = Ask(std::string(scheme) + token);
      EXPECT_EQ(response.status, 401);
      EXPECT_EQ(response.body,
                "{\"error\":\"the token is not accepted\",\"code\":\"unauthenticated\"}\n");
      ASSERT_EQ(response.headers.size(), 1u);
      EXPECT_THAT(response.headers[0].second, HasSubstr("invalid_token"));
    }
  }
  EXPECT_TRUE(next_.who.empty()) << "the certificate must not stand in for the token";
  ASSERT_EQ(events_.size(), 9u);
  for (const AdminEvent& event : events_) {
    EXPECT_FALSE(event.permitted);
    EXPECT_EQ(event.rule, "token");
    ASSERT_TRUE(event.failure);
    EXPECT_EQ(event.failure->message.find("eyJ"), std::string::npos) << "a token in the log";
  }
}

TEST_F(PeopleRoutesTest, SaysWhenTheIssuersKeysAreAway) {
  keys_.reset();
  const HttpResponse response = Ask("Bearer eyJhbGciOiJFZERTQSJ9.e30.AAAA");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(next_.who.empty());
}

TEST_F(PeopleRoutesTest, WhatCannotBeRecordedIsNotAnswered) {
  recorded_ = Error(Code::kIo, "full");
  EXPECT_EQ(Ask("Bearer nonsense").status, 503);
}

}  // namespace
}  // namespace dare::server
