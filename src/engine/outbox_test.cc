#include "engine/outbox.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/set_defaults.h"
#include "kmip/payloads/set_endpoint_role.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::ResultReason;
using kmip::Tag;

class EndpointForTest : public Endpoint {
 public:
  void Push(WipingBytes message) override { pushed.push_back(std::move(message)); }
  Operation Last() const {
    auto message = kmip::RequestMessage::Open(pushed.back());
    return message->Next()->operation;
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
  ItemForTest TakeRole(const std::string& principal = "alice") {
    return engine_->Do(kmip::SetEndpointRoleRequest{kmip::EndpointRole::kClient}, kmip::kVersion2_1,
                       principal);
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
  bool Respond() {
    Settle();
    Caller caller;
    caller.endpoint = endpoint_;
    return engine_->kms().TakeResponse(caller);
  }

  std::shared_ptr<EndpointForTest> endpoint_ = std::make_shared<EndpointForTest>();
  std::unique_ptr<EngineForTest> engine_;
};

TEST_F(OutboxTest, TellsTheOwnerWhoTookTheRole) {
  Start();
  const std::string before = Make();
  Destroy(before);
  EXPECT_TRUE(endpoint_->pushed.empty());
  EXPECT_TRUE(TakeRole().success);
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
  EXPECT_TRUE(TakeRole("bob").success);
  Destroy(Make());
  EXPECT_TRUE(endpoint_->pushed.empty());
}

TEST_F(OutboxTest, SendsTheNextWhenTheClientAnswered) {
  Start();
  EXPECT_TRUE(TakeRole().success);
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
  EXPECT_TRUE(TakeRole().success);
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

TEST_F(OutboxTest, NeedsAConnectionThatCarriesRequestsBack) {
  Start();
  engine_->UseEndpoint(nullptr);
  EXPECT_EQ(TakeRole().reason, ResultReason::kFeatureNotSupported);
}

}  // namespace
}  // namespace dare::engine
