// Acts that need the approval of others, seen from outside: whole messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "engine/approval_desk.h"
#include "engine/engine_for_test.h"
#include "engine/kms.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/message.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/export.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/import.h"
#include "kmip/tags.h"
#include "policy/document.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;
using testing::HasSubstr;

constexpr char kPolicy[] = R"(format = 1
[[domain]]
name = "default"
[domain.roles]
client = ["principal:*"]
[[domain.approval]]
name = "guarded"
acts = ["Destroy", "Get", "Export"]
objects = ["guarded-*"]
needed = 1
by = ["principal:carol"]
)";

// Keeps requests as facts of the store, so that what is rolled back shows. The test says which are
// approved.
class DeskForTest : public ApprovalDesk {
 public:
  Result<Ruling> Use(store::Transaction& transaction, const GuardedAct& act) override {
    const std::string key = KeyOf(act);
    const Result<Bytes> kept = transaction.GetMeta(key);
    if (!kept) {
      ApprovalRequest request;
      request.id = key;
      return Ruling{.message = "needs approval", .to_register = request};
    }
    if (AsText(*kept) != "approved") return Ruling{.message = "still needs approval"};
    TRY(transaction.RemoveMeta(key));
    return Ruling{.granted = true, .message = "approved by carol"};
  }
  Result<void> Register(store::Transaction& transaction, const ApprovalRequest& request) override {
    return transaction.PutMeta(request.id, AsBytes("waits"));
  }
  void Settle(bool committed) override { commits += committed ? 1 : 0; }
  int commits = 0;

 private:
  static std::string KeyOf(const GuardedAct& act) {
    return "test-request/" + act.requester + "/" + std::string(policy::ActName(act.act)) + "/" +
           act.subject + "/" + act.how;
  }
};

KmsOptions OptionsWith(ApprovalDesk* desk) {
  KmsOptions options;
  options.approvals = desk;
  return options;
}

class DualControlTest : public testing::Test {
 protected:
  DualControlTest() : DualControlTest(true) {}
  explicit DualControlTest(bool with_desk) : engine_(OptionsWith(with_desk ? &desk_ : nullptr)) {
    Result<policy::Policy> policy = policy::ParsePolicy(kPolicy, "policy");
    EXPECT_TRUE(policy) << policy.error().message;
    engine_.kms().access().Enforce(std::make_shared<policy::Policy>(*std::move(policy)));
  }
  // Out of use, so that it can be destroyed.
  std::string NewKey(const std::string& name) {
    return engine_.AddAesKey(
        Bytes(32, 1),
        {Attribute::OfName(name),
         Attribute::OfEnumeration(kmip::Tag::kState,
                                  static_cast<std::uint32_t>(kmip::State::kDeactivated))});
  }
  std::vector<std::string> Waiting() { return *engine_.store().ListMeta("test-request/"); }
  void ApproveAll() {
    auto transaction = *engine_.store().Begin();
    for (const std::string& key : Waiting()) {
      ASSERT_TRUE(transaction->PutMeta(key, AsBytes("approved")));
    }
    ASSERT_TRUE(transaction->Commit());
  }
  ItemForTest Destroy(const std::string& id) {
    return engine_.Do(kmip::DestroyRequest{.id = kmip::Identifier(id)});
  }
  ItemForTest Get(const std::string& id) {
    return engine_.Do(kmip::GetRequest{.id = kmip::Identifier(id)});
  }
  // Destroys in one message, which undoes all where one fails. True where the last one was done.
  bool DestroyAllOrNone(const std::vector<std::string>& ids) {
    ttlv::Writer out;
    out.Structure(kmip::Tag::kRequestMessage, [&] {
      kmip::RequestHeader header;
      header.version = kmip::kVersion2_1;
      header.batch_count = static_cast<std::int32_t>(ids.size());
      header.on_error = kmip::BatchErrorContinuationOption::kUndo;
      header.on_error_given = true;
      kmip::WriteRequestHeader(out, header);
      for (const std::string& id : ids) {
        out.Structure(kmip::Tag::kBatchItem, [&] {
          out.Enum(kmip::Tag::kOperation, kmip::Operation::kDestroy);
          out.ByteString(kmip::Tag::kUniqueBatchItemID, AsBytes(id));
          out.Structure(kmip::Tag::kRequestPayload, [&] {
            kmip::DestroyRequest{.id = kmip::Identifier(id)}.Encode(out, kmip::kVersion2_1);
          });
        });
      }
    });
    const WipingBytes answer = engine_.Exchange(out.bytes());
    auto message = kmip::ResponseMessage::Open(answer);
    EXPECT_TRUE(message);
    bool done = false;
    while (!message->AtEnd()) {
      const auto item = message->Next();
      EXPECT_TRUE(item);
      done = item->status == kmip::ResultStatus::kSuccess;
    }
    return done;
  }

  DeskForTest desk_;
  EngineForTest engine_;
};

TEST_F(DualControlTest, ARefusalLeavesARequestAndAnApprovalIsUsedUpWithTheAct) {
  const std::string id = NewKey("guarded-1");
  const ItemForTest refused = Destroy(id);
  EXPECT_EQ(refused.reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(refused.message, "needs approval");
  EXPECT_THAT(engine_.AuditLines().back(), HasSubstr("approval default/guarded"));
  ASSERT_EQ(Waiting().size(), 1u);
  EXPECT_EQ(Destroy(id).message, "still needs approval");
  ApproveAll();
  EXPECT_TRUE(Destroy(id).success);
  EXPECT_THAT(engine_.AuditLines().back(), HasSubstr("approved by carol"));
  EXPECT_TRUE(Waiting().empty());
  EXPECT_GT(desk_.commits, 0);
}

TEST_F(DualControlTest, WhatNoRuleNamesNeedsNobody) {
  const std::string id = NewKey("free");
  EXPECT_TRUE(Get(id).success);
  EXPECT_TRUE(Destroy(id).success);
  EXPECT_TRUE(Waiting().empty());
}

TEST_F(DualControlTest, WhatCannotBeDoneIsNotAskedAbout) {
  const std::string active = engine_.AddAesKey(Bytes(32, 1), {Attribute::OfName("guarded-1")});
  EXPECT_EQ(Destroy(active).reason, ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(engine_.Do(kmip::DestroyRequest{.id = kmip::Identifier(active)}, kmip::kVersion2_1, "b")
                .reason,
            ResultReason::kObjectNotFound)
      << "who is not allowed to learns nothing of it";
  EXPECT_TRUE(Waiting().empty());
}

TEST_F(DualControlTest, AKeyLeavesInTheClearByApprovalAlone) {
  const std::string id = NewKey("guarded-1");
  EXPECT_EQ(Get(id).reason, ResultReason::kPermissionDenied);
  ApproveAll();
  EXPECT_TRUE(Get(id).success);
  EXPECT_FALSE(Get(id).success) << "once";
  kmip::ExportRequest request;
  request.get.id = kmip::Identifier(id);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(Waiting().size(), 2u);
  ApproveAll();
  EXPECT_TRUE(engine_.Do(request).success);
  EXPECT_FALSE(engine_.Do(request).success);
}

TEST_F(DualControlTest, AWrappedKeyIsNotInTheClear) {
  const std::string id = NewKey("guarded-1");
  const std::string wrapper = engine_.AddAesKey(
      Bytes(32, 2),
      {Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask,
                            static_cast<std::int32_t>(kmip::CryptographicUsageMask::kWrapKey))});
  kmip::KeyWrapping wrapping;
  wrapping.encryption = kmip::WrappingKeyInformation{.id = wrapper};
  wrapping.encryption->parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kNISTKeyWrap;
  const ItemForTest wrapped =
      engine_.Do(kmip::GetRequest{.id = kmip::Identifier(id), .wrapping = wrapping});
  EXPECT_TRUE(wrapped.success) << wrapped.message;
  EXPECT_TRUE(Waiting().empty());
}

TEST_F(DualControlTest, ABatchThatIsUndoneLeavesItsRequestAndKeepsWhatWasApproved) {
  const std::string first = NewKey("guarded-1"), second = NewKey("guarded-2");
  EXPECT_FALSE(Destroy(first).success);
  ApproveAll();
  EXPECT_FALSE(DestroyAllOrNone({first, second}));
  ASSERT_EQ(Waiting().size(), 2u) << "the approval of the first, and a request for the second";
  ApproveAll();
  EXPECT_TRUE(DestroyAllOrNone({first, second}));
  EXPECT_TRUE(Waiting().empty());
}

TEST_F(DualControlTest, AnImportThatReplacesAKeyDestroysIt) {
  const std::string id = NewKey("guarded-1");
  EXPECT_FALSE(Get(id).success);
  ApproveAll();
  const ItemForTest got = Get(id);
  ASSERT_TRUE(got.success) << got.message;
  ttlv::Reader in = got.in();
  const auto key = kmip::GetResponse::Decode(in, kmip::kVersion2_1);
  ASSERT_TRUE(key) << key.error().message;
  kmip::ImportRequest request;
  request.id = id;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  request.replace_existing = true;
  request.attributes.Set(Attribute::OfInteger(kmip::Tag::kCryptographicUsageMask, 4));
  request.object = key->object;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kPermissionDenied);
  ApproveAll();
  const ItemForTest done = engine_.Do(request);
  EXPECT_TRUE(done.success) << done.message;
}

class WithoutDesk : public DualControlTest {
 protected:
  WithoutDesk() : DualControlTest(false) {}
};

TEST_F(WithoutDesk, WhatNeedsAnApprovalIsRefusedWhereNobodyCanGiveIt) {
  EXPECT_EQ(Destroy(NewKey("guarded-1")).reason, ResultReason::kPermissionDenied);
  EXPECT_TRUE(Destroy(NewKey("free")).success);
}

}  // namespace
}  // namespace dare::engine
