#include "server/policy_routes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace dare::server {
namespace {

class OfficeForTest : public PolicyOffice {
 public:
  Result<std::string> InForce() override { return Note("in force"); }
  Result<std::string> Version(std::uint64_t number) override {
    return Note("version " + std::to_string(number));
  }
  Result<std::string> History() override { return Note("history"); }
  Result<std::string> Check(const std::string& text) override { return Note("check " + text); }
  Result<std::string> Apply(const std::string& text, const std::string& comment, std::uint64_t base,
                            const std::string& who) override {
    return Note("apply " + text + "," + comment + "," + std::to_string(base) + "," + who);
  }
  Result<std::string> Explain(const PolicyQuestion& question, const Peer& who) override {
    return Note("explain " + question.principal + " " + question.operation + " " + question.object +
                question.owner + " to " + who.common_name);
  }
  std::vector<std::string> asked;

 private:
  Result<std::string> Note(const std::string& what) {
    asked.push_back(what);
    return what;
  }
};

class PolicyRoutesTest : public testing::Test {
 protected:
  std::optional<Result<std::string>> Ask(const std::string& method, const std::string& path,
                                         const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.content_type = "application/json";
    return ServePolicy(request, event_, office_);
  }
  PolicyRoutesTest() {
    event_.peer.common_name = "root";
    event_.permitted = true;
  }
  AdminEvent event_;
  OfficeForTest office_;
};

TEST_F(PolicyRoutesTest, GivesEachRequestToTheOffice) {
  EXPECT_EQ(**Ask("GET", "/admin/v1/policy"), "in force");
  EXPECT_EQ(**Ask("GET", "/admin/v1/policy/versions"), "history");
  EXPECT_EQ(**Ask("GET", "/admin/v1/policy/versions/12"), "version 12");
  EXPECT_EQ(event_.operation, "read policy");
  EXPECT_EQ(**Ask("POST", "/admin/v1/policy/check", R"({"text": "t"})"), "check t");
  EXPECT_EQ(**Ask("POST", "/admin/v1/policy", R"({"text": "t", "comment": "c", "base": "3"})"),
            "apply t,c,3,root");
  EXPECT_EQ(event_.operation, "apply policy");
  EXPECT_EQ(event_.detail, "c");
  EXPECT_EQ(**Ask("POST", "/admin/v1/explain",
                  R"({"principal": "bob", "operation": "Get", "object": "7"})"),
            "explain bob Get 7 to root");
}

TEST_F(PolicyRoutesTest, RefusesWhatIsNotARequest) {
  EXPECT_FALSE((*Ask("GET", "/admin/v1/policy/versions/x")).has_value());
  EXPECT_FALSE((*Ask("POST", "/admin/v1/policy", R"({"text": "t"})")).has_value()) << "no base";
  EXPECT_FALSE((*Ask("POST", "/admin/v1/policy", R"({"colour": "t"})")).has_value());
  EXPECT_FALSE((*Ask("POST", "/admin/v1/explain", "[]")).has_value());
  EXPECT_EQ(Ask("DELETE", "/admin/v1/policy"), std::nullopt);
  EXPECT_EQ(Ask("GET", "/admin/v1/hsm"), std::nullopt);
  EXPECT_TRUE(office_.asked.empty());
}

TEST_F(PolicyRoutesTest, DoesNothingForWhoeverIsNotPermitted) {
  event_.permitted = false;
  Ask("GET", "/admin/v1/policy");
  Ask("POST", "/admin/v1/policy", R"({"text": "t", "base": "0"})");
  Ask("POST", "/admin/v1/policy/check", R"({"text": "t"})");
  Ask("POST", "/admin/v1/explain", "{}");
  EXPECT_TRUE(office_.asked.empty());
  EXPECT_EQ(event_.operation, "explain");
}

}  // namespace
}  // namespace dare::server
