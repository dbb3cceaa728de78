#include "server/approval_routes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dare::server {
namespace {

class OfficeForTest : public ApprovalOffice {
 public:
  Result<std::string> List(const Peer& who) override { return Note("list", who); }
  Result<std::string> Show(const std::string& id, const Peer& who) override {
    return Note("show " + id, who);
  }
  Result<std::string> Approve(const std::string& id, const Peer& who) override {
    return Note("approve " + id, who);
  }
  Result<std::string> Refuse(const std::string& id, const Peer& who) override {
    return Note("refuse " + id, who);
  }
  Result<std::string> LetPass(const std::string& id, const std::string& reason,
                              const Peer& who) override {
    return Note("let pass " + id + ", " + reason, who);
  }
  Result<std::string> Acknowledge(const std::string& id, const Peer& who) override {
    return Note("acknowledge " + id, who);
  }
  Result<void> Permit(std::string_view, const std::string&, const Peer&) override { return {}; }
  std::vector<std::string> asked;

 private:
  Result<std::string> Note(const std::string& what, const Peer& who) {
    asked.push_back(what + " by " + who.common_name);
    return asked.back();
  }
};

class ApprovalRoutesTest : public testing::Test {
 protected:
  std::optional<Result<std::string>> Ask(const std::string& method, const std::string& path,
                                         const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.content_type = "application/json";
    return ServeApprovals(request, event_, office_);
  }
  ApprovalRoutesTest() {
    event_.peer.common_name = "carol";
    event_.permitted = true;
  }
  AdminEvent event_;
  OfficeForTest office_;
};

TEST_F(ApprovalRoutesTest, GivesEachRequestToTheOffice) {
  EXPECT_EQ(**Ask("GET", "/admin/v1/approvals"), "list by carol");
  EXPECT_TRUE(event_.mere_look);
  EXPECT_EQ(**Ask("GET", "/admin/v1/approvals/ab12"), "show ab12 by carol");
  event_.mere_look = false;
  const std::string body = R"({"id": "ab12", "reason": "why"})";
  EXPECT_EQ(**Ask("POST", "/admin/v1/approvals/approve", body), "approve ab12 by carol");
  EXPECT_EQ(event_.operation, "approve request");
  EXPECT_EQ(event_.rule, "approval");
  EXPECT_EQ(event_.subject, "ab12");
  EXPECT_FALSE(event_.mere_look);
  EXPECT_EQ(**Ask("POST", "/admin/v1/approvals/refuse", body), "refuse ab12 by carol");
  EXPECT_EQ(**Ask("POST", "/admin/v1/approvals/emergency", body), "let pass ab12, why by carol");
  EXPECT_EQ(event_.operation, "emergency: let request pass");
  EXPECT_EQ(event_.detail, "why");
  EXPECT_EQ(**Ask("POST", "/admin/v1/approvals/acknowledge", body), "acknowledge ab12 by carol");
}

TEST_F(ApprovalRoutesTest, RefusesWhatIsIncompleteOrElsewhere) {
  EXPECT_EQ(Ask("POST", "/admin/v1/approvals/approve")->error().code, Code::kInvalidArgument);
  EXPECT_EQ(Ask("POST", "/admin/v1/approvals/approve", R"({"id": "a", "x": "y"})")->error().code,
            Code::kInvalidArgument);
  EXPECT_FALSE(Ask("POST", "/admin/v1/approvals"));
  EXPECT_FALSE(Ask("POST", "/admin/v1/approvals/ab12", R"({"id": "a"})"));
  EXPECT_FALSE(Ask("GET", "/admin/v1/approvalsx"));
  EXPECT_FALSE(Ask("GET", "/admin/v1/policy"));
  EXPECT_TRUE(office_.asked.empty());
}

TEST_F(ApprovalRoutesTest, AsksNobodyForWhomItIsNotPermitted) {
  event_.permitted = false;
  EXPECT_TRUE(Ask("GET", "/admin/v1/approvals"));
  EXPECT_TRUE(Ask("POST", "/admin/v1/approvals/approve", R"({"id": "a"})"));
  EXPECT_EQ(event_.operation, "approve request");
  EXPECT_TRUE(office_.asked.empty());
}

}  // namespace
}  // namespace dare::server
