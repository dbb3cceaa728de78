#include "engine/outbox.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/set_defaults.h"
#include "kmip/payloads/set_endpoint_role.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::ResultReason;
using kmip::Tag;

using Payload = std::function<void(ttlv::Writer&)>;

// Without `payload` a success that says nothing; without `done` Operation Not Supported.
WipingBytes Response(Operation operation, bool done = true, const Payload& payload = {}) {
  ttlv::Writer out;
  out.Structure(Tag::kResponseMessage, [&] {
    kmip::WriteResponseHeader(out, {.version = kmip::kVersion2_1, .batch_count = 1});
    out.Structure(Tag::kBatchItem, [&] {
      kmip::ResponseItem item;
      item.operation = operation;
      if (!done) item.status = kmip::ResultStatus::kOperationFailed;
      if (!done) item.reason = ResultReason::kOperationNotSupported;
      kmip::WriteResponseItemHead(out, item);
      if (payload) out.Structure(Tag::kResponsePayload, [&] { payload(out); });
    });
  });
  return out.Take();
}

WipingBytes Versions(std::vector<kmip::ProtocolVersion> versions) {
  return Response(Operation::kDiscoverVersions, true, [&](ttlv::Writer& out) {
    kmip::DiscoverVersionsResponse{std::move(versions)}.Encode(out, kmip::kVersion2_1);
  });
}

WipingBytes Operations(std::vector<Operation> operations) {
  return Response(Operation::kQuery, true, [&](ttlv::Writer& out) {
    kmip::QueryResponse response;
    response.operations = std::move(operations);
    response.Encode(out, kmip::kVersion2_1);
  });
}

class EndpointForTest : public Endpoint {
 public:
  void Push(WipingBytes message) override { pushed.push_back(std::move(message)); }
  Operation Last() const {
    auto message = kmip::RequestMessage::Open(pushed.back());
    return message->Next()->operation;
  }
  kmip::ProtocolVersion LastVersion() const {
    return kmip::RequestMessage::Open(pushed.back())->header().version;
  }

  std::vector<WipingBytes> pushed;
};

class OutboxTest : public testing::Test {
 protected:
  void Start(PushOptions push = {}) {
    KmsOptions options;
    options.push = std::move(push);
    engine_ = std::make_unique<EngineForTest>(options);
    engine_->UseEndpoint(endpoint_);
  }
  ItemForTest SayRole(const std::string& principal = "alice",
                      kmip::ProtocolVersion version = kmip::kVersion2_1) {
    ItemForTest taken =
        engine_->Do(kmip::SetEndpointRoleRequest{kmip::EndpointRole::kClient}, version, principal);
    engine_->kms().AnswerLeft(AtEndpoint());
    return taken;
  }
  // The same, of a client that does not say what it can do.
  void TakeRole(const std::string& principal = "alice") {
    ASSERT_TRUE(SayRole(principal).success);
    ASSERT_TRUE(Respond(Response(Operation::kDiscoverVersions, false)));
    ASSERT_TRUE(Respond(Response(Operation::kQuery, false)));
    endpoint_->pushed.clear();
  }
  Caller AtEndpoint() const {
    Caller caller;
    caller.endpoint = endpoint_;
    return caller;
  }
  std::string Make(const std::string& principal = "alice") {
    kmip::CreateRequest create;
    create.object_type = kmip::ObjectType::kSymmetricKey;
    const ItemForTest made = engine_->Do(create, kmip::kVersion2_1, principal);
    Settle();
    ttlv::Reader in = made.in();
    return kmip::CreateResponse::Decode(in, kmip::kVersion2_1)->id;
  }
  void Destroy(const std::string& id, const std::string& principal = "alice") {
    EXPECT_TRUE(
        engine_->Do(kmip::DestroyRequest{.id = kmip::Identifier(id)}, kmip::kVersion2_1, principal)
            .success);
    Settle();
  }
  // What was answered is published behind the answer: another change comes after that.
  void Settle() { EXPECT_TRUE(engine_->Do(kmip::SetDefaultsRequest{}).success); }
  bool Respond(const WipingBytes& response) {
    Settle();
    return engine_->kms().TakeResponse(AtEndpoint(), response);
  }
  bool Respond() { return Respond(Response(Operation::kNotify)); }

  std::shared_ptr<EndpointForTest> endpoint_ = std::make_shared<EndpointForTest>();
  std::unique_ptr<EngineForTest> engine_;
};

TEST_F(OutboxTest, TellsTheOwnerWhoTookTheRole) {
  Start();
  const std::string before = Make();
  Destroy(before);
  EXPECT_TRUE(endpoint_->pushed.empty());
  TakeRole();
  const std::string id = Make();
  EXPECT_TRUE(endpoint_->pushed.empty()) << "a new object is no change, and not put";
  Destroy(id);
  ASSERT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_EQ(endpoint_->Last(), Operation::kNotify);
  auto message = kmip::RequestMessage::Open(endpoint_->pushed[0]);
  ttlv::Reader payload = *message->Next()->payload.Members();
  EXPECT_EQ(*payload.Text(Tag::kUniqueIdentifier), id);
  ttlv::Reader attributes = *payload.Structure(Tag::kAttributes);
  bool state = false, changed = false;
  while (!attributes.AtEnd()) {
    const auto attribute = *attributes.Next();
    state |= attribute.tag == Tag::kState;
    changed |= attribute.tag == Tag::kLastChangeDate;
  }
  EXPECT_TRUE(state);
  EXPECT_TRUE(changed);
}

TEST_F(OutboxTest, TellsNobodyElse) {
  Start();
  TakeRole("bob");
  Destroy(Make());
  EXPECT_TRUE(endpoint_->pushed.empty());
}

TEST_F(OutboxTest, SendsTheNextWhenTheClientAnswered) {
  Start();
  TakeRole();
  const std::string one = Make(), two = Make();
  EXPECT_FALSE(Respond()) << "nothing was asked";
  Destroy(one);
  Destroy(two);
  EXPECT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_TRUE(Respond());
  EXPECT_EQ(endpoint_->pushed.size(), 2u);
  EXPECT_TRUE(Respond());
  EXPECT_FALSE(Respond());
}

TEST_F(OutboxTest, GivesUpOnWhoDoesNotAnswer) {
  Start();
  TakeRole();
  const std::string one = Make(), two = Make();
  Destroy(one);
  engine_->clock().Advance(31);
  Destroy(two);
  EXPECT_FALSE(Respond());
  EXPECT_EQ(endpoint_->pushed.size(), 1u);
}

TEST_F(OutboxTest, PutsNewKeysWhereThatWasAgreed) {
  Start({.clients = {"alice"}, .put = {"alice"}});
  Caller caller;
  caller.principal.name = "alice";
  caller.endpoint = endpoint_;
  engine_->kms().Meet(caller);
  Make();
  ASSERT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_EQ(endpoint_->Last(), Operation::kPut);
  EXPECT_TRUE(Respond());
  kmip::CreateRequest sensitive;
  sensitive.object_type = kmip::ObjectType::kSymmetricKey;
  sensitive.attributes.attributes.Add(kmip::Attribute::OfBoolean(Tag::kSensitive, true));
  EXPECT_TRUE(engine_->Do(sensitive).success);
  EXPECT_EQ(endpoint_->pushed.size(), 1u) << "a sensitive key stays";
}

TEST_F(OutboxTest, AsksWhatTheClientCanDoBehindTheAnswer) {
  Start();
  ASSERT_TRUE(engine_
                  ->Do(kmip::SetEndpointRoleRequest{kmip::EndpointRole::kClient}, kmip::kVersion2_0,
                       "alice")
                  .success);
  EXPECT_TRUE(endpoint_->pushed.empty()) << "the answer is not on its way yet";
  engine_->kms().AnswerLeft(AtEndpoint());
  engine_->kms().AnswerLeft(AtEndpoint());
  ASSERT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_EQ(endpoint_->Last(), Operation::kDiscoverVersions);
  EXPECT_EQ(endpoint_->LastVersion(), kmip::kVersion2_0);
  EXPECT_TRUE(Respond(Versions({kmip::kVersion2_0, kmip::kVersion2_1})));
  EXPECT_EQ(endpoint_->Last(), Operation::kQuery);
  EXPECT_TRUE(Respond(Operations({Operation::kNotify})));
  EXPECT_EQ(endpoint_->pushed.size(), 2u);
  Destroy(Make());
  ASSERT_EQ(endpoint_->pushed.size(), 3u);
  EXPECT_EQ(endpoint_->Last(), Operation::kNotify);
  EXPECT_EQ(endpoint_->LastVersion(), kmip::kVersion2_1) << "the highest that both have";
}

TEST_F(OutboxTest, SendsOnlyWhatTheClientTakes) {
  Start({.clients = {}, .put = {"alice"}});
  ASSERT_TRUE(SayRole().success);
  ASSERT_TRUE(Respond(Versions({kmip::kVersion2_1})));
  ASSERT_TRUE(Respond(Operations({Operation::kNotify, Operation::kQuery})));
  endpoint_->pushed.clear();
  const std::string id = Make();
  EXPECT_TRUE(endpoint_->pushed.empty()) << "no Put";
  Destroy(id);
  ASSERT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_EQ(endpoint_->Last(), Operation::kNotify);

  endpoint_ = std::make_shared<EndpointForTest>();
  engine_->UseEndpoint(endpoint_);
  ASSERT_TRUE(SayRole().success);
  ASSERT_TRUE(Respond(Versions({})));
  ASSERT_TRUE(Respond(Operations({Operation::kPut})));
  endpoint_->pushed.clear();
  const std::string put = Make();
  ASSERT_EQ(endpoint_->pushed.size(), 1u);
  EXPECT_EQ(endpoint_->Last(), Operation::kPut);
  EXPECT_TRUE(Respond(Response(Operation::kPut)));
  Destroy(put);
  EXPECT_EQ(endpoint_->pushed.size(), 1u) << "no Notify";
}

TEST_F(OutboxTest, TellsWhoDoesNotSayWhatHeCanDoAndWaitsForNobody) {
  Start();
  ASSERT_TRUE(SayRole().success);
  const std::string one = Make(), two = Make();
  Destroy(one);
  ASSERT_EQ(endpoint_->pushed.size(), 2u);
  EXPECT_EQ(endpoint_->Last(), Operation::kNotify) << "the question is still open";
  EXPECT_TRUE(Respond()) << "an answer to the Notify";
  // The answer about versions comes after all.
  EXPECT_TRUE(Respond(Versions({kmip::kVersion2_1})));
  EXPECT_EQ(endpoint_->Last(), Operation::kQuery);
  // One who says the same to everything is told everything.
  EXPECT_TRUE(Respond(Response(Operation::kNotify)));
  EXPECT_FALSE(Respond()) << "nothing more was asked";
  Destroy(two);
  EXPECT_EQ(endpoint_->Last(), Operation::kNotify);
}

TEST_F(OutboxTest, TakesNoGarbageForAnAnswer) {
  Start();
  ASSERT_TRUE(SayRole().success);
  EXPECT_FALSE(Respond(WipingBytes(64, 0x42)));
  EXPECT_FALSE(Respond(Response(Operation::kDiscoverVersions, true,
                                [](ttlv::Writer& out) { out.Integer(Tag::kBatchCount, 1); })));
}

TEST_F(OutboxTest, NeedsAConnectionThatCarriesRequestsBack) {
  Start();
  engine_->UseEndpoint(nullptr);
  EXPECT_EQ(SayRole().reason, ResultReason::kFeatureNotSupported);
}

}  // namespace
}  // namespace dare::engine
