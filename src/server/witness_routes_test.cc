#include "server/witness_routes.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace dare::server {
namespace {

class NoRoutes : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest&, const Caller&) override {
    HttpResponse response;
    response.status = 404;
    return response;
  }
};

class OfficeForTest : public WitnessOffice {
 public:
  bool IsWitnessed(const Peer& peer) override { return peer.common_name == "kms-1"; }
  Result<void> Take(const std::string& checkpoint, const std::string& public_key,
                    const Peer&) override {
    taken.push_back(checkpoint + " by " + public_key);
    return refusal ? Result<void>(*refusal) : Result<void>();
  }
  Result<std::string> Newest(const Peer&) override { return std::string("newest\n"); }

  std::vector<std::string> taken;
  std::optional<Error> refusal;
};

class WitnessRoutesTest : public testing::Test {
 protected:
  HttpResponse Ask(const std::string& method, const std::string& body = "",
                   const std::string& who = "kms-1",
                   const std::string& path = std::string(kWitnessPath)) {
    auto peer = std::make_shared<Peer>();
    peer->common_name = who;
    if (!who.empty()) peer->fingerprint = "f";
    Caller caller;
    caller.peer = std::move(peer);
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.content_type = "application/json";
    request.body = body;
    return routes_.Serve(request, caller);
  }

  NoRoutes next_;
  OfficeForTest office_;
  std::vector<AdminEvent> events_;
  WitnessRoutes routes_{next_, office_, [this](const AdminEvent& event) -> Result<void> {
                          events_.push_back(event);
                          return {};
                        }};
};

constexpr char kBody[] = R"({"checkpoint":"c","public_key":"k"})";

TEST_F(WitnessRoutesTest, TakeACheckpointAndGiveTheNewest) {
  EXPECT_EQ(Ask("POST", kBody).status, 200);
  EXPECT_EQ(office_.taken, std::vector<std::string>{"c by k"});
  const HttpResponse newest = Ask("GET");
  EXPECT_EQ(newest.status, 200);
  EXPECT_EQ(newest.body, "{\"checkpoint\":\"newest\\n\"}\n");
  EXPECT_TRUE(events_.empty()) << "else each checkpoint would make an entry, and so another one";
}

TEST_F(WitnessRoutesTest, RefuseWhoIsNotWitnessedWhateverHeAsks) {
  for (const char* who : {"", "kms-2"}) {
    EXPECT_EQ(Ask("POST", kBody, who).status, 403);
    EXPECT_EQ(Ask("GET", "", who).status, 403);
    EXPECT_EQ(Ask("PUT", "not json", who).status, 403);
  }
  EXPECT_TRUE(office_.taken.empty());
  ASSERT_EQ(events_.size(), 6u);
  EXPECT_FALSE(events_[0].permitted);
}

TEST_F(WitnessRoutesTest, SayWhatContradicts) {
  office_.refusal = Error(Code::kConflict, "the log was changed");
  const HttpResponse refused = Ask("POST", kBody);
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("the log was changed"), std::string::npos);
  ASSERT_EQ(events_.size(), 1u);
  EXPECT_TRUE(events_[0].permitted);
  EXPECT_TRUE(events_[0].failure);
}

TEST_F(WitnessRoutesTest, RefuseBodiesThatAreNotExactlyThat) {
  for (const char* body : {"x", "[]", R"({"checkpoint":"c","more":"m"})", R"({"checkpoint":1})"}) {
    EXPECT_EQ(Ask("POST", body).status, 400) << body;
  }
  EXPECT_EQ(Ask("DELETE").status, 404);
  EXPECT_TRUE(office_.taken.empty());
}

TEST_F(WitnessRoutesTest, LeaveOtherPathsAlone) {
  EXPECT_EQ(Ask("GET", "", "kms-1", "/witness/v1").status, 404);
  EXPECT_TRUE(events_.empty());
}

}  // namespace
}  // namespace dare::server
