#include "server/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/approval_routes.h"

namespace dare::server {
namespace {

using testing::HasSubstr;

class RestForTest : public HttpRoutes {
 public:
  HttpResponse Serve(const HttpRequest&, const Caller&) override {
    HttpResponse response;
    response.body = "the rest";
    return response;
  }
};

class OfficeForTest : public KeyOffice {
 public:
  Result<std::string> Status() override { return Note("status"); }
  Result<std::string> Rotate(const Rotation& rotation) override {
    return Note("rotate " + rotation.sealing + "," + rotation.prepared);
  }
  Result<std::string> DestroyRetired() override { return Note("destroy"); }
  Result<std::string> AddToken(const std::string& token) override { return Note("add " + token); }
  Result<std::string> RemoveToken(const std::string& token) override {
    return Note("remove " + token);
  }
  std::vector<std::string> asked;
  std::optional<Error> failure;

 private:
  Result<std::string> Note(const std::string& what) {
    asked.push_back(what);
    if (failure) return *failure;
    return std::string("{}");
  }
};

class LockoutsForTest : public LockoutOffice {
 public:
  Result<std::string> Lockouts() override { return Note("list"); }
  Result<std::string> LockOut(const Target& target, const std::string& reason,
                              const Peer& who) override {
    return Note("lock out " + target.kind + " " + target.name + ": " + reason + " by " +
                who.common_name);
  }
  Result<std::string> Unlock(const Target& target) override {
    return Note("unlock " + target.kind + " " + target.name);
  }
  Result<std::string> Seal(const std::string& reason, const Peer& who) override {
    return Note("seal: " + reason + " by " + who.common_name);
  }
  Result<std::string> Unseal() override { return Note("unseal"); }
  std::vector<std::string> asked;

 private:
  Result<std::string> Note(const std::string& what) {
    asked.push_back(what);
    return std::string("{}");
  }
};

class ApprovalsForTest : public ApprovalOffice {
 public:
  Result<std::string> List(const Peer& who) override { return "\"for " + who.common_name + "\""; }
  Result<std::string> Show(const std::string&, const Peer&) override { return std::string("{}"); }
  Result<std::string> Approve(const std::string&, const Peer&) override {
    return std::string("{}");
  }
  Result<std::string> Refuse(const std::string&, const Peer&) override { return std::string("{}"); }
  Result<std::string> LetPass(const std::string&, const std::string&, const Peer&) override {
    return std::string("{}");
  }
  Result<std::string> Acknowledge(const std::string&, const Peer&) override {
    return std::string("{}");
  }
  Result<void> Permit(std::string_view act, const std::string& how, const Peer& who) override {
    asked.push_back(std::string(act) + ": " + how + " by " + who.common_name);
    if (failure) return *failure;
    return {};
  }
  std::vector<std::string> asked;
  std::optional<Error> failure;
};

class AdminTest : public testing::Test {
 protected:
  HttpResponse Ask(const std::string& method, const std::string& path, std::string_view body = {},
                   const std::string& type = "application/json") {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.content_type = type;
    Caller caller;
    caller.peer = std::make_shared<const Peer>(peer_);
    return routes_.Serve(request, caller);
  }
  AdminTest() {
    peer_.common_name = "root";
    peer_.fingerprint = "ab";
  }
  Peer peer_;
  RestForTest rest_;
  OfficeForTest office_;
  LockoutsForTest lockouts_;
  std::vector<AdminEvent> events_;
  bool log_broken_ = false;
  ApprovalsForTest approvals_;
  AdminRoutes routes_{rest_,
                      office_,
                      lockouts_,
                      AdminOptions{[](const Peer& peer) { return peer.common_name == "root"; },
                                   [this](const AdminEvent& event) -> Result<void> {
                                     if (log_broken_) return Error(Code::kIo, "full");
                                     events_.push_back(event);
                                     return {};
                                   },
                                   [](const Peer& peer) { return peer.common_name != "locked"; },
                                   [](const Peer& peer) -> std::optional<policy::Role> {
                                     if (peer.common_name == "ann") return policy::Role::kAuditor;
                                     if (peer.common_name == "olaf") return policy::Role::kOperator;
                                     if (peer.common_name == "carl") return policy::Role::kClient;
                                     return std::nullopt;
                                   }},
                      nullptr,
                      &approvals_};
};

TEST_F(AdminTest, RotatesOnlyWhereTheApprovalsPermitIt) {
  approvals_.failure = Error(Code::kDenied, "needs approval");
  const HttpResponse refused = Ask("POST", "/admin/v1/hsm/rotate", R"({"sealing":"root"})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(office_.asked.empty());
  ASSERT_TRUE(events_.at(0).failure);
  approvals_.failure.reset();
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate", R"({"sealing":"root","key":"aa"})").status, 200);
  EXPECT_THAT(approvals_.asked,
              testing::ElementsAre("RotateMasterKey: sealing root by root",
                                   "RotateMasterKey: sealing root, key aa by root"));
}

TEST_F(AdminTest, LetsWhoeverIsServedAskAboutApprovalsAndNothingElse) {
  peer_.common_name = "carol";
  EXPECT_EQ(Ask("GET", "/admin/v1/approvals").status, 200);
  const std::string body = R"({"id":"ab"})";
  EXPECT_EQ(Ask("POST", "/admin/v1/approvals/approve", body).status, 200);
  EXPECT_EQ(events_.back().rule, "approval");
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate").status, 403);
  EXPECT_EQ(Ask("GET", "/admin/v1/approvals/../hsm").status, 200) << "one with a strange id";
  EXPECT_EQ(Ask("POST", "/admin/v1/approvalsx").status, 403);
  peer_.common_name = "locked";
  EXPECT_EQ(Ask("POST", "/admin/v1/approvals/approve", body).status, 403);
  peer_.common_name = "carol";
  peer_.fingerprint.clear();
  EXPECT_EQ(Ask("GET", "/admin/v1/approvals").status, 403) << "without a certificate";
}

TEST_F(AdminTest, TakesEachRequestToTheOffice) {
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate", R"({"sealing":"root","key":"aa"})").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/tokens", R"({"token":"b"})").status, 200);
  EXPECT_EQ(Ask("DELETE", "/admin/v1/hsm/tokens/b").status, 200);
  EXPECT_EQ(Ask("DELETE", "/admin/v1/hsm/retired").status, 200);
  EXPECT_THAT(office_.asked, testing::ElementsAre("status", "rotate ,", "rotate root,aa", "add b",
                                                  "remove b", "destroy"));
  EXPECT_EQ(events_.size(), 5u) << "all but the look at the status";
  EXPECT_EQ(events_[2].subject, "b");
}

TEST_F(AdminTest, TakesLockoutsToTheirOffice) {
  EXPECT_EQ(Ask("GET", "/admin/v1/lockouts").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/lockouts", R"({"kind":"group","name":"lab","reason":"stolen"})")
                .status,
            200);
  EXPECT_EQ(Ask("POST", "/admin/v1/unlock", R"({"kind":"group","name":"lab"})").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/seal", R"({"reason":"fire"})").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/unseal").status, 200);
  EXPECT_THAT(lockouts_.asked,
              testing::ElementsAre("list", "lock out group lab: stolen by root", "unlock group lab",
                                   "seal: fire by root", "unseal"));
  EXPECT_EQ(events_.size(), 4u) << "all but the look at the list";
  EXPECT_EQ(events_[0].subject, "lab");
  EXPECT_EQ(events_[0].detail, "group; stolen");
}

TEST_F(AdminTest, AsksForALockoutThatIsWhole) {
  for (const std::string body : {"", "{}", R"({"kind":"group"})", R"({"name":""})",
                                 R"({"name":"lab","why":"stolen"})", R"({"name":["lab"]})"}) {
    EXPECT_EQ(Ask("POST", "/admin/v1/lockouts", body).status, 400) << body;
    EXPECT_EQ(Ask("POST", "/admin/v1/unlock", body).status, 400) << body;
  }
  EXPECT_EQ(Ask("DELETE", "/admin/v1/lockouts").status, 404);
  EXPECT_EQ(Ask("GET", "/admin/v1/seal").status, 404);
  EXPECT_TRUE(lockouts_.asked.empty());
}

TEST_F(AdminTest, AsksTheOfficeNothingForOthers) {
  for (const char* name : {"alice", ""}) {
    peer_.common_name = name;
    peer_.fingerprint = *name == '\0' ? "" : "ab";
    for (const auto& [method, path] :
         std::vector<std::pair<std::string, std::string>>{{"GET", "/admin/v1/hsm"},
                                                          {"POST", "/admin/v1/hsm/rotate"},
                                                          {"POST", "/admin/v1/hsm/tokens"},
                                                          {"DELETE", "/admin/v1/hsm/tokens/b"},
                                                          {"DELETE", "/admin/v1/hsm/retired"},
                                                          {"GET", "/admin/v1/lockouts"},
                                                          {"POST", "/admin/v1/lockouts"},
                                                          {"POST", "/admin/v1/unlock"},
                                                          {"POST", "/admin/v1/seal"},
                                                          {"POST", "/admin/v1/unseal"},
                                                          {"GET", "/admin/v1/nowhere"}}) {
      const HttpResponse response = Ask(method, path, "junk");
      EXPECT_EQ(response.status, 403) << path;
      EXPECT_THAT(response.body, HasSubstr("administrator role"));
    }
  }
  // A claim of a name without a certificate behind it.
  peer_.common_name = "root";
  peer_.fingerprint = "";
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 403);
  EXPECT_TRUE(office_.asked.empty());
  EXPECT_TRUE(lockouts_.asked.empty());
  EXPECT_EQ(events_.size(), 23u);
  EXPECT_FALSE(events_[0].permitted);
}

TEST_F(AdminTest, RefusesBodiesThatItDoesNotKnowWhollyAndRoutesThatAreNone) {
  for (const std::string body : {"[]", "{", "\"root\"", R"({"sealing":1})", R"({"seal":"root"})",
                                 R"({"sealing":"root"} x)", R"({"a":{"b":{"c":{"d":{}}}}})"}) {
    EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate", body).status, 400) << body;
  }
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate", "{}", "text/plain").status, 400);
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/tokens", "{}").status, 400);
  EXPECT_EQ(Ask("PUT", "/admin/v1/hsm").status, 404);
  EXPECT_EQ(Ask("GET", "/admin/v1/other").status, 404);
  EXPECT_TRUE(office_.asked.empty());
}

TEST_F(AdminTest, TellsWhyInJsonWithItsStatus) {
  office_.failure = Error(Code::kConflict, "a \"rotation\" is under way");
  const HttpResponse response = Ask("POST", "/admin/v1/hsm/rotate");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body,
            "{\"error\":\"a \\\"rotation\\\" is under way\",\"code\":\"conflict\"}\n");
  ASSERT_TRUE(events_[0].failure.has_value());
}

TEST_F(AdminTest, WithholdsTheAnswerThatCannotBeAudited) {
  log_broken_ = true;
  EXPECT_EQ(Ask("POST", "/admin/v1/hsm/rotate").status, 503);
}

TEST_F(AdminTest, WhoMayOnlyLookChangesNothing) {
  peer_.common_name = "ann";
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 200);
  EXPECT_EQ(Ask("GET", "/admin/v1/lockouts").status, 200);
  EXPECT_EQ(Ask("GET", "/admin/v1/nowhere").status, 404);
  EXPECT_EQ(events_.back().rule, "auditor");
  for (const auto& [method, path] : {std::pair{"POST", "/admin/v1/hsm/rotate"},
                                     {"DELETE", "/admin/v1/hsm/retired"},
                                     {"POST", "/admin/v1/lockouts"},
                                     {"POST", "/admin/v1/seal"},
                                     {"PUT", "/admin/v1/policy"},
                                     {"HEAD", "/admin/v1/hsm"}}) {
    EXPECT_EQ(Ask(method, path).status, 403) << path;
  }
  EXPECT_THAT(office_.asked, testing::ElementsAre("status"));
  EXPECT_THAT(lockouts_.asked, testing::ElementsAre("list"));
  peer_.fingerprint = "";
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 403) << "a name that nothing proves";
  peer_.person = true;
  EXPECT_EQ(Ask("GET", "/admin/v1/nowhere").status, 404);
  EXPECT_EQ(events_.back().rule, "auditor, by token");
}

TEST_F(AdminTest, LetsOperatorsSeeHowTheServiceIsAndStopIt) {
  peer_.common_name = "olaf";
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 200);
  EXPECT_EQ(Ask("GET", "/admin/v1/lockouts").status, 200);
  EXPECT_EQ(Ask("POST", "/admin/v1/seal", R"({"reason":"fire"})").status, 200);
  EXPECT_EQ(events_.back().rule, "operator");
  for (const auto& [method, path] : {std::pair{"POST", "/admin/v1/unseal"},
                                     {"POST", "/admin/v1/hsm/rotate"},
                                     {"POST", "/admin/v1/lockouts"},
                                     {"POST", "/admin/v1/explain"},
                                     {"GET", "/admin/v1/policy"}}) {
    EXPECT_EQ(Ask(method, path).status, 403) << path;
  }
  peer_.common_name = "carl";
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm").status, 403) << "a client is nothing to the service";
  peer_.common_name = "olaf";
  peer_.fingerprint = "";
  EXPECT_EQ(Ask("POST", "/admin/v1/seal", "{}").status, 403) << "a name that nothing proves";
}

TEST_F(AdminTest, LeavesOtherPathsToOthers) {
  EXPECT_EQ(Ask("GET", "/healthz").body, "the rest");
  EXPECT_EQ(Ask("GET", "/admin/v1").body, "the rest");
}

}  // namespace
}  // namespace dare::server
