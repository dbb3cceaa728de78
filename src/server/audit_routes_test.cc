#include "server/audit_routes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dare::server {
namespace {

class OfficeForTest : public AuditOffice {
 public:
  std::string MayRead(const Peer& peer) override {
    return peer.common_name == "auditor" ? "role auditor" : "";
  }
  Result<AuditAnswer> Entries(const AuditQuestion& question, const Peer& peer) override {
    asked.push_back("entries " + question.from + "," + question.last + "," + question.principal +
                    "," + question.object + "," + question.operation + "," + question.decision +
                    "," + question.request + "," + question.since + "," + question.until + "," +
                    question.reading + " to " + peer.common_name);
    return AuditAnswer{asked.back(), !question.reading.empty()};
  }
  Result<std::string> Witnessed(const std::string& node, const std::string& offset,
                                const Peer& peer) override {
    asked.push_back("checkpoints of " + node + ", " + offset + " to " + peer.common_name);
    return asked.back();
  }
  Result<std::string> Checkpoints(const std::string& offset, const Peer& peer) override {
    asked.push_back("checkpoints " + offset + " to " + peer.common_name);
    return asked.back();
  }
  Result<std::string> Key() override {
    asked.emplace_back("key");
    return asked.back();
  }
  Result<std::string> Prunings(const Peer& peer) override {
    asked.push_back("prunings to " + peer.common_name);
    return asked.back();
  }
  Result<std::string> Prune(const PruneRequest& request, const Peer& peer) override {
    asked.push_back("prune " + request.before + "," + request.keep_seconds + " by " +
                    peer.common_name);
    return asked.back();
  }
  std::vector<std::string> asked;
};

class AuditRoutesTest : public testing::Test {
 protected:
  std::optional<Result<std::string>> Ask(const std::string& method, const std::string& path,
                                         const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.path = "/admin/v1/audit" + path;
    request.body = body;
    request.content_type = "application/json";
    event_ = {};
    event_.peer.common_name = name_;
    event_.permitted = name_ == "root";
    return ServeAudit(request, event_, office_, permit_);
  }
  std::string name_ = "auditor";
  AdminEvent event_;
  OfficeForTest office_;
  PruningPermit permit_;
};

TEST_F(AuditRoutesTest, GivesEachRequestToTheOffice) {
  EXPECT_EQ(**Ask("POST", "/entries",
                  R"({"from": "1", "principal": "p", "object": "o", "operation": "Get",
                      "decision": "denied", "request": "r", "since": "s", "until": "u"})"),
            "entries 1,,p,o,Get,denied,r,s,u, to auditor");
  EXPECT_EQ(event_.operation, "read audit log");
  EXPECT_EQ(event_.rule, "role auditor");
  EXPECT_EQ(event_.detail,
            "from 1, principal p, object o, operation Get, decision denied, request r, since s, "
            "until u");
  EXPECT_FALSE(event_.mere_look) << "reading is recorded";
  EXPECT_EQ(**Ask("POST", "/entries", R"({"reading": "7f"})"), "entries ,,,,,,,,,7f to auditor");
  EXPECT_TRUE(event_.mere_look) << "once";
  EXPECT_EQ(event_.detail, "all of it");
  EXPECT_EQ(**Ask("POST", "/checkpoints", R"({"offset": "9"})"), "checkpoints 9 to auditor");
  EXPECT_EQ(**Ask("GET", "/key"), "key");
  EXPECT_EQ(**Ask("GET", "/prunings"), "prunings to auditor");
}

TEST_F(AuditRoutesTest, AdministratorsPruneAndAuditorsDoNot) {
  Ask("POST", "/prune", R"({"before": "b"})");
  EXPECT_FALSE(event_.permitted);
  EXPECT_EQ(event_.operation, "prune audit log");
  EXPECT_TRUE(office_.asked.empty());
  name_ = "root";
  EXPECT_EQ(**Ask("POST", "/prune", R"({"before": "b"})"), "prune b, by root");
  EXPECT_EQ(event_.detail, "before b");
  EXPECT_EQ(**Ask("POST", "/prune", R"({"keep_seconds": "9"})"), "prune ,9 by root");
  EXPECT_FALSE(event_.mere_look);
  EXPECT_FALSE(Ask("POST", "/prune", R"({"everything": "yes"})")->has_value());
}

TEST_F(AuditRoutesTest, PrunesOnlyWhereThePermitIsGiven) {
  name_ = "root";
  std::vector<std::string> permits;
  permit_ = [&](const std::string& how, const Peer& who) -> Result<void> {
    permits.push_back(how + " by " + who.common_name);
    if (permits.size() == 1) return Error(Code::kDenied, "needs approval");
    return {};
  };
  EXPECT_EQ(Ask("POST", "/prune", R"({"keep_seconds": "9"})")->error().message, "needs approval");
  EXPECT_TRUE(office_.asked.empty());
  EXPECT_TRUE(Ask("POST", "/prune", R"({"keep_seconds": "9"})")->has_value());
  EXPECT_EQ(permits, std::vector<std::string>(2, "keep 9 seconds by root"));
}

TEST_F(AuditRoutesTest, DoesNothingForWhomTheOfficeDoesNotLet) {
  for (const std::string name : {"root", "alice", ""}) {
    name_ = name;
    Ask("POST", "/entries", "{}");
    EXPECT_EQ(event_.operation, "read audit log");
    EXPECT_FALSE(event_.permitted) << "the office decides, for administrators, too";
    Ask("POST", "/checkpoints", "{}");
    Ask("GET", "/key");
    EXPECT_FALSE(event_.permitted);
  }
  EXPECT_TRUE(office_.asked.empty());
}

TEST_F(AuditRoutesTest, RefusesWhatIsNotARequest) {
  EXPECT_FALSE(Ask("POST", "/entries", R"({"colour": "red"})")->has_value());
  EXPECT_FALSE(Ask("POST", "/entries", R"({"from": 1})")->has_value());
  EXPECT_FALSE(event_.mere_look) << "and records it";
  EXPECT_FALSE(Ask("POST", "/checkpoints", "[]")->has_value());
  EXPECT_EQ(Ask("GET", "/entries"), std::nullopt);
  EXPECT_EQ(Ask("DELETE", "/key"), std::nullopt);
  EXPECT_EQ(Ask("GET", ""), std::nullopt);
  EXPECT_TRUE(office_.asked.empty());
}

}  // namespace
}  // namespace dare::server
