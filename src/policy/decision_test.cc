#include "policy/decision.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace dare::policy {
namespace {

using kmip::Operation;

// Every code in and around the standard's range, and some that no version knows.
std::vector<Operation> AllOperations() {
  std::vector<Operation> operations;
  for (std::uint32_t code = 0; code <= 0x60; ++code) operations.push_back(Operation{code});
  operations.push_back(Operation{0x80000001});  // an extension
  operations.push_back(Operation{0xFFFFFFFF});
  return operations;
}

// The rules again, as sets of names that a person can read against docs/threat-model.md.
const std::set<Operation> kWithoutObject = {
    Operation::kQuery,    Operation::kDiscoverVersions, Operation::kPing,
    Operation::kCreate,   Operation::kCreateKeyPair,    Operation::kCreateSplitKey,
    Operation::kRegister, Operation::kRNGSeed,          Operation::kRNGRetrieve,
    Operation::kHash,     Operation::kLocate,           Operation::kPKCS_11,
    Operation::kImport,   Operation::kCertify,          Operation::kReCertify,
    Operation::kValidate};
// About the asker's own session, tickets, requests and rules: no stored object.
const std::set<Operation> kOfTheSession = {Operation::kLogin,
                                           Operation::kLogout,
                                           Operation::kDelegatedLogin,
                                           Operation::kLog,
                                           Operation::kInterop,
                                           Operation::kPoll,
                                           Operation::kCancel,
                                           Operation::kProcess,
                                           Operation::kQueryAsynchronousRequests,
                                           Operation::kSetEndpointRole,
                                           Operation::kSetDefaults,
                                           Operation::kSetConstraints,
                                           Operation::kGetConstraints};
const std::set<Operation> kAdministratorOnOthers = {
    Operation::kLocate, Operation::kGetAttributes, Operation::kGetAttributeList,
    Operation::kRevoke, Operation::kDestroy,       Operation::kArchive,
    Operation::kRecover};
const std::set<Operation> kOwner = {Operation::kLocate,           Operation::kGetAttributes,
                                    Operation::kGetAttributeList, Operation::kRevoke,
                                    Operation::kDestroy,          Operation::kGet,
                                    Operation::kExport,           Operation::kCheck,
                                    Operation::kObtainLease,      Operation::kAddAttribute,
                                    Operation::kModifyAttribute,  Operation::kGetUsageAllocation,
                                    Operation::kSetAttribute,     Operation::kDeleteAttribute,
                                    Operation::kAdjustAttribute,  Operation::kActivate,
                                    Operation::kDeactivate,       Operation::kArchive,
                                    Operation::kRecover,          Operation::kReKey,
                                    Operation::kReKeyKeyPair,     Operation::kDeriveKey,
                                    Operation::kJoinSplitKey,     Operation::kEncrypt,
                                    Operation::kDecrypt,          Operation::kSign,
                                    Operation::kSignatureVerify,  Operation::kMAC,
                                    Operation::kMACVerify,        Operation::kCertify,
                                    Operation::kReCertify,        Operation::kValidate};

bool ModelAllows(const Principal& principal, Operation operation) {
  return !principal.name.empty() &&
         (kWithoutObject.contains(operation) || kOfTheSession.contains(operation));
}

bool ModelAllows(const Principal& principal, Operation operation, const std::string& owner) {
  if (principal.name.empty()) return false;
  if (owner == principal.name) return kOwner.contains(operation);
  return principal.administrator && kAdministratorOnOthers.contains(operation);
}

TEST(Decide, AgreesWithTheModelInEveryCase) {
  const std::vector<std::string> names = {"", "alice", "Alice", "alice ", "bob", "administrator"};
  const std::vector<std::vector<std::string>> groups = {{}, {"alice"}, {"administrator", "bob"}};
  int cases = 0;
  for (const std::string& name : names) {
    for (const bool administrator : {false, true}) {
      for (const auto& group : groups) {
        const Principal principal{name, administrator, group};
        for (const Operation operation : AllOperations()) {
          const Decision alone = Decide(principal, operation);
          EXPECT_EQ(alone.allowed, ModelAllows(principal, operation));
          EXPECT_FALSE(alone.rule.empty());
          for (const std::string& owner : names) {
            const Decision decision = Decide(principal, operation, {.owner = owner});
            EXPECT_EQ(decision.allowed, ModelAllows(principal, operation, owner))
                << "'" << name << "' administrator " << administrator << " operation "
                << static_cast<std::uint32_t>(operation) << " owner '" << owner << "'";
            EXPECT_FALSE(decision.rule.empty());
            ++cases;
          }
        }
      }
    }
  }
  EXPECT_EQ(cases, 6 * 2 * 3 * 99 * 6);
}

TEST(Decide, RightsOnlyTakeAway) {
  const Operation get = Operation::kGetAttributes;
  Principal alice{.name = "alice"};
  alice.rights = {Right{.operations = {{Operation::kQuery}}},
                  Right{.operations = {{get}}, .objects = {{"1"}}},
                  Right{.operations = {{Operation::kGet}}, .groups = {{"backup"}}}};
  EXPECT_TRUE(Decide(alice, Operation::kQuery).allowed);
  EXPECT_FALSE(Decide(alice, Operation::kCreate).allowed);
  EXPECT_TRUE(Decide(alice, Operation::kCreate).beyond_rights);
  EXPECT_EQ(Decide(alice, get, {.owner = "alice", .id = "1"}).right, 1);
  EXPECT_TRUE(Decide(alice, get, {.owner = "alice", .id = "2"}).beyond_rights);
  EXPECT_FALSE(Decide(alice, get, {.owner = "bob", .id = "1"}).allowed);
  EXPECT_FALSE(Decide(alice, get, {.owner = "bob", .id = "1"}).beyond_rights);
  const auto in_group = [](std::vector<std::string> groups) {
    return ObjectFacts{.owner = "alice", .id = "3", .groups = std::move(groups)};
  };
  EXPECT_TRUE(Decide(alice, Operation::kGet, in_group({"other", "backup"})).allowed);
  EXPECT_FALSE(Decide(alice, Operation::kGet, in_group({})).allowed);
  // Nothing is granted by no rights at all, and a right that was used up can be passed by.
  EXPECT_FALSE(Decide(alice, Operation::kQuery, 1).allowed);
  alice.rights = std::vector<Right>{};
  EXPECT_FALSE(Decide(alice, Operation::kQuery).allowed);
  alice.rights = std::vector<Right>{Right{}};
  EXPECT_TRUE(Decide(alice, Operation::kQuery).allowed);
}

TEST(Decide, OthersMayDoNothingWithAnObject) {
  const Principal mallory{.name = "mallory"};
  for (const Operation operation : AllOperations()) {
    EXPECT_FALSE(Decide(mallory, operation, {.owner = "alice"}).allowed);
  }
}

TEST(Decide, AnAdministratorNeverReachesTheKeyOfAnother) {
  const Principal root{.name = "root", .administrator = true};
  for (const Operation operation :
       {Operation::kGet, Operation::kEncrypt, Operation::kDecrypt, Operation::kMAC,
        Operation::kReKey, Operation::kModifyAttribute, Operation::kActivate, Operation::kExport}) {
    EXPECT_FALSE(Decide(root, operation, {.owner = "alice"}).allowed);
  }
  EXPECT_TRUE(Decide(root, Operation::kGet, {.owner = "root"}).allowed);
}

TEST(Decide, AnObjectWithoutOwnerIsNobodys) {
  EXPECT_FALSE(Decide({.name = ""}, Operation::kGet, {.owner = ""}).allowed);
  EXPECT_FALSE(
      Decide({.name = "", .administrator = true}, Operation::kRevoke, {.owner = ""}).allowed);
}

TEST(Decide, NamesTheRuleThatDecided) {
  EXPECT_EQ(Decide({.name = "alice"}, Operation::kGet, {.owner = "bob"}).rule, "not the owner");
  EXPECT_EQ(Decide({.name = "alice"}, Operation{0x70}, {.owner = "alice"}).rule,
            "no rule for this operation");
  EXPECT_EQ(Decide({.name = "alice"}, Operation::kGet).rule, "the operation needs an object");
}

}  // namespace
}  // namespace dare::policy
