// Every operation that the server offers, asked by everybody for everything, against the model of
// docs/policy.md: operation x role x ownership x domain x state x condition.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/access_control.h"
#include "engine/engine_for_test.h"
#include "engine/issuer_for_test.h"
#include "engine/kms.h"
#include "engine/operation_table.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/names.h"
#include "kmip/payloads/create_split_key.h"
#include "kmip/payloads/delegated_login.h"
#include "kmip/payloads/set_constraints.h"
#include "kmip/payloads/set_defaults.h"
#include "policy/document.h"
#include "policy/operation_class.h"
#include "policy/policy_model_for_test.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;
using policy::PolicyModel;
using policy::Question;
using policy::RawDomain;

constexpr std::uint8_t kText[] = {'t', 'e', 'x', 't', 't', 'e', 'x', 't',
                                  't', 'e', 'x', 't', 't', 'e', 'x', 't'};

// Who owns objects: somebody of the asker's domain, the asker, somebody of another domain.
constexpr char kOwner[] = "alice";
constexpr char kStranger[] = "b-app";

std::vector<RawDomain> Domains() {
  std::vector<RawDomain> domains = {{.name = "default"}, {.name = "b"}};
  domains[0].roles = {{"client", {"principal:alice", "principal:other", "principal:stopped"}},
                      {"custodian", {"principal:keeper"}},
                      {"auditor", {"principal:auditor"}},
                      {"operator", {"principal:operator"}},
                      {"administrator", {"principal:root"}}};
  const auto grant = [&](const std::string& to, const std::string& operation) -> auto& {
    return domains[0].grants.emplace_back(
        policy::RawGrant{.to = "principal:" + to, .operation = operation});
  };
  grant("granted", "all");
  grant("user", "use");
  grant("outside", "all").from_inside = true;
  grant("early", "all").in_the_morning = true;
  grant("leased", "all").until_noon = true;
  grant("counted", "all").uses = 1'000'000;
  grant("named", "all").object = "k-*";
  grant("stopped", "use").deny = true;
  // What a role forbids, no grant gives.
  grant("keeper", "use");
  grant("auditor", "manage");
  domains[1].member_prefix = "b-*";
  domains[1].roles = {{"client", {"principal:b-app"}}, {"custodian", {"principal:b-keeper"}}};
  return domains;
}
const std::vector<std::string> kWho = {
    "alice",   "other", "stopped", "keeper",  "auditor", "operator", "root",  "granted", "user",
    "outside", "early", "leased",  "counted", "named",   "nobody",   "b-app", "b-keeper"};

kmip::Attribute Contact() { return kmip::Attribute::OfText(Tag::kContactInformation, "x"); }

// What stands beside the Unique Identifier in the payload of an operation on an object.
using Rest = std::function<void(ttlv::Writer&)>;

void Nothing(ttlv::Writer&) {}
void Data(ttlv::Writer& out) { out.ByteString(Tag::kData, kText); }
void NewAttribute(ttlv::Writer& out) {
  out.Structure(Tag::kNewAttribute, [&] { out.Raw(Contact().item); });
}
void Reference(ttlv::Writer& out) {
  out.Enumeration(Tag::kAttributeReference, static_cast<std::uint32_t>(Tag::kContactInformation));
}

const std::map<Operation, Rest>& OnObjects() {
  static const std::map<Operation, Rest> requests = {
      {Operation::kActivate, Nothing},
      {Operation::kArchive, Nothing},
      {Operation::kRecover, Nothing},
      {Operation::kDestroy, Nothing},
      {Operation::kGet, Nothing},
      {Operation::kExport, Nothing},
      {Operation::kGetAttributes, Nothing},
      {Operation::kGetAttributeList, Nothing},
      {Operation::kObtainLease, Nothing},
      {Operation::kCheck, Nothing},
      {Operation::kReKey, Nothing},
      {Operation::kReKeyKeyPair, Nothing},
      {Operation::kCertify, Nothing},
      {Operation::kReCertify, Nothing},
      {Operation::kValidate, Nothing},
      {Operation::kRevoke,
       [](ttlv::Writer& out) {
         out.Structure(Tag::kRevocationReason, [&] {
           out.Enum(Tag::kRevocationReasonCode, kmip::RevocationReasonCode::kUnspecified);
         });
       }},
      {Operation::kAddAttribute, NewAttribute},
      {Operation::kSetAttribute, NewAttribute},
      {Operation::kModifyAttribute, NewAttribute},
      {Operation::kDeleteAttribute, Reference},
      {Operation::kAdjustAttribute,
       [](ttlv::Writer& out) {
         out.Enumeration(Tag::kAttributeReference,
                         static_cast<std::uint32_t>(Tag::kCryptographicUsageMask));
         out.Enum(Tag::kAdjustmentType, kmip::AdjustmentType::kIncrement);
       }},
      {Operation::kEncrypt, Data},
      {Operation::kDecrypt, Data},
      {Operation::kSign, Data},
      {Operation::kMAC, Data},
      {Operation::kMACVerify,
       [](ttlv::Writer& out) {
         Data(out);
         out.ByteString(Tag::kMACData, kText);
       }},
      {Operation::kSignatureVerify,
       [](ttlv::Writer& out) {
         Data(out);
         out.ByteString(Tag::kSignatureData, kText);
       }},
      {Operation::kGetUsageAllocation,
       [](ttlv::Writer& out) { out.LongInteger(Tag::kUsageLimitsCount, 1); }},
  };
  return requests;
}

Bytes PayloadOn(Operation operation, const std::string& id) {
  ttlv::Writer out;
  const Tag tag = operation == Operation::kReKeyKeyPair ? Tag::kPrivateKeyUniqueIdentifier
                                                        : Tag::kUniqueIdentifier;
  // These two begin with what is to be made.
  if (operation == Operation::kDeriveKey || operation == Operation::kJoinSplitKey) {
    out.Enum(Tag::kObjectType, kmip::ObjectType::kSymmetricKey);
    out.Text(Tag::kUniqueIdentifier, id);
    if (operation == Operation::kDeriveKey) {
      out.Enum(Tag::kDerivationMethod, kmip::DerivationMethod::kHMAC);
      out.Structure(Tag::kDerivationParameters,
                    [&] { out.ByteString(Tag::kDerivationData, kText); });
      out.Structure(Tag::kAttributes, [] {});
    }
  } else {
    out.Text(tag, id);
    OnObjects().at(operation)(out);
  }
  return {out.bytes().begin(), out.bytes().end()};
}

void OpaqueObject(ttlv::Writer& out) {
  out.Enum(Tag::kObjectType, kmip::ObjectType::kOpaqueObject);
  out.Structure(Tag::kAttributes, [] {});
  out.Structure(Tag::kOpaqueObject, [&] {
    out.Enumeration(Tag::kOpaqueDataType, 0x80000001);
    out.ByteString(Tag::kOpaqueDataValue, kText);
  });
}

// Operations that need no object, as a client may ask for them.
const std::map<Operation, Rest>& WithoutObject() {
  static const std::map<Operation, Rest> requests = {
      {Operation::kCreate,
       [](ttlv::Writer& out) { CreateAesForTest().Encode(out, kmip::kVersion2_1); }},
      {Operation::kCreateKeyPair, Nothing},
      {Operation::kCreateSplitKey,
       [](ttlv::Writer& out) {
         kmip::CreateSplitKeyRequest request;
         request.parts = 2;
         request.threshold = 2;
         request.method = kmip::SplitKeyMethod::kXOR;
         request.attributes = CreateAesForTest().attributes;
         request.Encode(out, kmip::kVersion2_1);
       }},
      {Operation::kRegister, OpaqueObject},
      {Operation::kImport,
       [](ttlv::Writer& out) {
         out.Text(Tag::kUniqueIdentifier, "");
         OpaqueObject(out);
       }},
      {Operation::kRNGRetrieve, [](ttlv::Writer& out) { out.Integer(Tag::kDataLength, 8); }},
      {Operation::kRNGSeed, Data},
      {Operation::kHash,
       [](ttlv::Writer& out) {
         out.Structure(Tag::kCryptographicParameters,
                       [&] { out.Enum(Tag::kHashingAlgorithm, kmip::HashingAlgorithm::kSHA_256); });
         Data(out);
       }},
      {Operation::kDelegatedLogin,
       [](ttlv::Writer& out) {
         kmip::DelegatedLoginRequest request;
         request.rights.emplace_back();
         request.Encode(out, kmip::kVersion2_1);
       }},
      {Operation::kSetDefaults,
       [](ttlv::Writer& out) { kmip::SetDefaultsRequest{}.Encode(out, kmip::kVersion2_1); }},
      {Operation::kSetConstraints,
       [](ttlv::Writer& out) { kmip::SetConstraintsRequest{}.Encode(out, kmip::kVersion2_1); }},
  };
  return requests;
}

bool IsDenial(const ItemForTest& item) {
  if (item.success) return false;
  const bool hidden =
      item.reason == ResultReason::kObjectNotFound && item.message == "no such object";
  return hidden ||
         (item.reason == ResultReason::kPermissionDenied && item.message == "not allowed");
}

// Issues to everybody whom the policy lets ask.
class OpenIssuer : public IssuerForTest {
 public:
  using IssuerForTest::IssuerForTest;
  bool Serves(const policy::Principal&) const override { return true; }
};

class AccessMatrix : public testing::Test {
 protected:
  // Sunday 29 November 2026, 11:30: before noon, and not in the morning any more.
  void SetUp() override {
    Question question;
    question.weekend = question.before_noon = true;
    engine_.clock().Advance(MomentOf(question) - engine_.clock().Now());
    Result<policy::Policy> policy = policy::ParsePolicy(policy::TextOf(domains_), "policy");
    ASSERT_TRUE(policy) << policy.error().message;
    policy_ = std::make_shared<policy::Policy>(*std::move(policy));
    engine_.UseIssuer(&issuer_);
    Enforce(true);
  }
  void Enforce(bool on) { engine_.kms().access().Enforce(on ? policy_ : nullptr); }

  Question Ask(const std::string& who, Operation operation) const {
    Question question;
    question.who.name = who;
    question.operation = kmip::EnumName(Tag::kOperation, static_cast<std::uint32_t>(operation));
    question.weekend = question.before_noon = true;
    return question;
  }

  // With its Name, "k-" and a number, in `name`.
  std::string ObjectIn(State state, const std::string& owner, std::string& name) {
    name = "k-" + std::to_string(++objects_);
    const State kept = state == State::kDestroyed ? State::kDeactivated : state;
    std::string id = engine_.AddAesKey(
        Bytes(32, 1), {EnumForTest(Tag::kState, kept), kmip::Attribute::OfName(name)}, owner);
    if (state == State::kDestroyed) {
      Enforce(false);
      ttlv::Writer out;
      out.Text(Tag::kUniqueIdentifier, id);
      EXPECT_TRUE(
          engine_.DoEncoded(Operation::kDestroy, out.bytes(), kmip::kVersion2_1, owner).success);
      Enforce(true);
    }
    return id;
  }

  const std::vector<RawDomain> domains_ = Domains();
  const PolicyModel model_{domains_};
  OpenIssuer issuer_{1'795'000'000};  // outlives the engine
  EngineForTest engine_;
  std::shared_ptr<const policy::Policy> policy_;
  int objects_ = 0;
};

// So nothing that the server offers is left out below: a new operation needs a request here.
TEST_F(AccessMatrix, KnowsARequestForWhateverTheServerOffers) {
  for (const OperationHandler& handler : OperationHandlers()) {
    const policy::OperationClass what = policy::ClassOf(handler.operation);
    const bool judged = what != policy::OperationClass::kSession &&
                        what != policy::OperationClass::kFind &&
                        handler.operation != Operation::kInterop;  // for test cases only
    const bool derived =
        handler.operation == Operation::kDeriveKey || handler.operation == Operation::kJoinSplitKey;
    EXPECT_EQ(judged, derived || OnObjects().contains(handler.operation) ||
                          WithoutObject().contains(handler.operation))
        << kmip::EnumName(Tag::kOperation, static_cast<std::uint32_t>(handler.operation));
  }
}

TEST_F(AccessMatrix, DecidesAboutObjectsAsTheModelDoes) {
  int allowed = 0, denied = 0, hidden = 0;
  for (const OperationHandler& handler : OperationHandlers()) {
    const Operation operation = handler.operation;
    const policy::OperationClass what = policy::ClassOf(operation);
    const bool derived =
        operation == Operation::kDeriveKey || operation == Operation::kJoinSplitKey;
    if (!derived && !OnObjects().contains(operation)) continue;
    for (const std::string& who : kWho) {
      for (const std::string& owner : {std::string(kOwner), who, std::string(kStranger)}) {
        for (const State state : {State::kPreActive, State::kActive, State::kDeactivated,
                                  State::kCompromised, State::kDestroyed}) {
          Question question = Ask(who, operation);
          const std::string id = ObjectIn(state, owner, question.name);
          SCOPED_TRACE(question.operation + " by " + who + " of " + owner + "'s in state " +
                       std::to_string(static_cast<int>(state)));
          // What may come with its object in the message, needs to be allowed without one, too.
          const bool may_ask = what != policy::OperationClass::kUseOrBrought ||
                               model_.Allows(question, question.operation);
          question.with_object = true;
          question.owner = owner;
          question.id = id;
          const bool may = may_ask && model_.Allows(question, question.operation);
          const Result<std::uint64_t> before = engine_.store().GetVersion(id);
          const ItemForTest item = engine_.DoEncoded(operation, PayloadOn(operation, id),
                                                     kmip::kVersion2_1, who, who == "root");
          ASSERT_EQ(!IsDenial(item), may) << item.message;
          if (may) {
            ++allowed;
            continue;
          }
          ++denied;
          const bool hides = may_ask && model_.Hides(question);
          hidden += hides ? 1 : 0;
          ASSERT_EQ(item.reason == ResultReason::kObjectNotFound, hides) << item.message;
          const Result<std::uint64_t> after = engine_.store().GetVersion(id);
          ASSERT_TRUE(before && after);
          ASSERT_EQ(*before, *after) << "what is denied changes nothing";
        }
      }
    }
  }
  EXPECT_GT(allowed, 1'500);
  EXPECT_GT(denied, 3'000);
  EXPECT_GT(hidden, 2'000);
}

TEST_F(AccessMatrix, DecidesAboutWhatNeedsNoObjectAsTheModelDoes) {
  for (const OperationHandler& handler : OperationHandlers()) {
    const auto found = WithoutObject().find(handler.operation);
    if (found == WithoutObject().end()) continue;
    ttlv::Writer out;
    found->second(out);
    for (const std::string& who : kWho) {
      const Question question = Ask(who, handler.operation);
      SCOPED_TRACE(question.operation + " by " + who);
      const ItemForTest item =
          engine_.DoEncoded(handler.operation, out.bytes(), kmip::kVersion2_1, who, who == "root");
      EXPECT_EQ(!IsDenial(item), model_.Allows(question, question.operation)) << item.message;
    }
  }
}

}  // namespace
}  // namespace dare::engine
