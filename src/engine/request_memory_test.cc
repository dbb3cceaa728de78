#include "engine/request_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/engine_for_test.h"
#include "engine/operation_table.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/names.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/register.h"
#include "kmip/request_identity.h"
#include "kmip/tags.h"
#include "store/memory_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Operation;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::ResultStatus;
using kmip::Tag;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Bytes kIdentity(16, 0xA1);
const Bytes kOther(64, 0xA2);
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;

// A message whose items may be named.
class Message {
 public:
  explicit Message(ProtocolVersion version = kmip::kVersion2_1) { header_.version = version; }

  template <typename Request>
  Message& Add(const Request& request, const std::vector<Bytes>& identities,
               bool critical = false) {
    ttlv::Writer payload;
    request.Encode(payload, header_.version);
    ++header_.batch_count;
    const Bytes id = {static_cast<std::uint8_t>(header_.batch_count)};
    items_.Structure(Tag::kBatchItem, [&] {
      items_.Enum(Tag::kOperation, Request::kOperation);
      items_.ByteString(Tag::kUniqueBatchItemID, id);
      items_.Structure(Tag::kRequestPayload, [&] { items_.Raw(payload.bytes()); });
      for (const Bytes& identity : identities) {
        kmip::WriteRequestIdentity(items_, identity, critical);
      }
    });
    return *this;
  }
  Message& Undo() {
    header_.on_error = kmip::BatchErrorContinuationOption::kUndo;
    header_.on_error_given = true;
    return *this;
  }
  Message& AtMost(std::int32_t bytes) {
    header_.maximum_response_size = bytes;
    return *this;
  }
  WipingBytes Encode() {
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      kmip::WriteRequestHeader(out, header_);
      out.Raw(items_.bytes());
    });
    return out.Take();
  }

 private:
  kmip::RequestHeader header_;
  ttlv::Writer items_;
};

kmip::CreateRequest NewKey(std::int32_t bits = 256) {
  kmip::CreateRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  kmip::AttributeSet& attributes = request.attributes.attributes;
  attributes.Add(
      Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                               static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, bits));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C));
  return request;
}

struct Said {
  ResultStatus status{};
  std::optional<ResultReason> reason;
  std::string id;  // the first Unique Identifier of the payload
  WipingBytes payload;
};

class RequestMemoryTest : public testing::Test {
 protected:
  std::vector<Said> Ask(Message& message, const std::string& principal = "alice") {
    const WipingBytes answer = engine_.Exchange(message.Encode(), principal);
    auto response = kmip::ResponseMessage::Open(answer);
    EXPECT_TRUE(response);
    std::vector<Said> all;
    while (!response->AtEnd()) {
      const kmip::ResponseItem item = *response->Next();
      Said said{.status = item.status, .reason = item.reason, .id = {}, .payload = {}};
      if (item.payload) {
        said.payload.assign(item.payload->value.begin(), item.payload->value.end());
        ttlv::Reader members = *item.payload->Members();
        while (!members.AtEnd() && !members.At(Tag::kUniqueIdentifier)) (void)members.Next();
        if (!members.AtEnd()) said.id = *members.Text(Tag::kUniqueIdentifier);
      }
      all.push_back(std::move(said));
    }
    return all;
  }
  Said Create(const Bytes& identity, ProtocolVersion version = kmip::kVersion2_1,
              const std::string& principal = "alice", std::int32_t bits = 256) {
    Message message(version);
    message.Add(NewKey(bits), {identity});
    return Ask(message, principal).front();
  }
  std::uint64_t Objects() { return *engine_.store().Count({}); }
  std::vector<std::string> Rows() { return *engine_.store().ListMeta("request/"); }
  void PutRow(const std::string& key, ByteView value) {
    const auto transaction = *engine_.store().Begin();
    ASSERT_TRUE(transaction->PutMeta(key, value).has_value());
    ASSERT_TRUE(transaction->Commit().has_value());
  }

  // As the server does it in time; how many portions it took.
  int ForgetOld() {
    OldRequests old(engine_.clock());
    int portions = 1;
    while (*old.ForgetSome(engine_.store())) ++portions;
    return portions;
  }

  EngineForTest engine_;
};

TEST_F(RequestMemoryTest, ARepeatIsAnsweredTheSameAndNothingIsDoneAgain) {
  std::uint8_t n = 0;
  for (const ProtocolVersion version :
       {kmip::kVersion1_0, kmip::kVersion1_1, kmip::kVersion1_2, kmip::kVersion1_3,
        kmip::kVersion1_4, kmip::kVersion2_0, kmip::kVersion2_1}) {
    const Bytes identity(20, ++n);
    const Said first = Create(identity, version);
    ASSERT_EQ(first.status, ResultStatus::kSuccess);
    const Said again = Create(identity, version);
    EXPECT_EQ(again.status, ResultStatus::kSuccess);
    EXPECT_EQ(again.payload, first.payload);
    EXPECT_EQ(Objects(), n);
    EXPECT_EQ(Rows().size(), n);
  }
}

TEST_F(RequestMemoryTest, ARequestWithoutIdentityIsDoneEachTime) {
  Message message;
  message.Add(NewKey(), {});
  EXPECT_NE(Ask(message).front().id, Ask(message).front().id);
  EXPECT_EQ(Objects(), 2u);
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(RequestMemoryTest, LastsOverARestart) {
  const Said first = Create(kIdentity);
  engine_.Restart();
  EXPECT_EQ(Create(kIdentity).id, first.id);
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(RequestMemoryTest, RefusesTheIdentityForAnythingElse) {
  const Said first = Create(kIdentity);
  EXPECT_EQ(Create(kIdentity, kmip::kVersion2_1, "alice", 128).reason, ResultReason::kInvalidField);
  EXPECT_EQ(Create(kIdentity, kmip::kVersion2_0).reason, ResultReason::kInvalidField)
      << "its answer is of another version";
  Message destroy;
  destroy.Add(kmip::DestroyRequest{.id = kmip::Identifier(first.id)}, {kIdentity});
  EXPECT_EQ(Ask(destroy).front().reason, ResultReason::kInvalidField);
  EXPECT_EQ(Objects(), 1u);
  EXPECT_EQ(Create(kIdentity).id, first.id) << "and still knows the first";
}

TEST_F(RequestMemoryTest, EachPrincipalHasIdentitiesOfItsOwn) {
  const Said of_alice = Create(kIdentity);
  const Said of_bob = Create(kIdentity, kmip::kVersion2_1, "bob");
  EXPECT_EQ(of_bob.status, ResultStatus::kSuccess);
  EXPECT_NE(of_bob.id, of_alice.id);
  EXPECT_EQ(Create(kIdentity, kmip::kVersion2_1, "bob").id, of_bob.id);
  EXPECT_EQ(Objects(), 2u);
}

TEST_F(RequestMemoryTest, AFailureIsNotRemembered) {
  engine_.sealer().SetUnavailable(true);
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kOperationFailed);
  EXPECT_THAT(Rows(), IsEmpty());
  engine_.sealer().SetUnavailable(false);
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kSuccess);
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(RequestMemoryTest, ABatchThatWasUndoneIsForgottenWithWhatItDid) {
  Message undone;
  undone.Undo()
      .Add(NewKey(), {kIdentity})
      .Add(kmip::ActivateRequest{.id = kmip::Identifier("none")}, {kOther});
  EXPECT_EQ(Ask(undone).front().status, ResultStatus::kOperationUndone);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(Objects(), 0u);
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kSuccess);
}

TEST_F(RequestMemoryTest, ABatchIsRepeatedWithWhatItsItemsHandOn) {
  const auto fill = [](Message& message) {
    // The key becomes Active by itself much later; only Activate makes it so now, once.
    kmip::CreateRequest dormant = NewKey();
    dormant.attributes.attributes.Add(Attribute::OfDate(Tag::kActivationDate, 9'000'000'000));
    message.Add(dormant, {kIdentity}).Add(kmip::ActivateRequest{}, {kOther});
    message.Add(kmip::GetRequest{}, {});
  };
  Message first;
  fill(first);
  const std::vector<Said> said = Ask(first);
  ASSERT_EQ(said.size(), 3u);
  for (const Said& item : said) EXPECT_EQ(item.status, ResultStatus::kSuccess);
  Message again;
  fill(again);
  const std::vector<Said> repeated = Ask(again);
  ASSERT_EQ(repeated.size(), 3u) << "a second Activate would have been refused";
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(repeated[i].payload, said[i].payload);
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(RequestMemoryTest, ARepeatKeepsToMaximumResponseSize) {
  Create(kIdentity);
  Message small;
  small.AtMost(64).Add(NewKey(), {kIdentity});
  EXPECT_EQ(Ask(small).front().reason, ResultReason::kResponseTooLarge);
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(RequestMemoryTest, RemembersForADayWheneverThatBegan) {
  for (const std::int64_t begun : {std::int64_t{1}, kDay / 2, kDay - 1}) {
    const Bytes identity(16, static_cast<std::uint8_t>(begun));
    engine_.clock().Advance(kDay - engine_.clock().Now() % kDay + begun);
    const Said first = Create(identity);
    for (int quarter = 1; quarter <= 4; ++quarter) {
      engine_.clock().Advance(kDay / 4);
      EXPECT_EQ(Create(identity).id, first.id) << begun << " " << quarter;
    }
  }
}

TEST_F(RequestMemoryTest, WritesUnderBothDaysAroundMidnight) {
  const std::int64_t midnight = engine_.clock().Now() / kDay * kDay + kDay;
  std::uint8_t n = 0;
  for (const auto& [from_midnight, rows] :
       {std::pair{-660, 1u}, std::pair{-300, 2u}, std::pair{0, 2u}, std::pair{300, 2u},
        std::pair{660, 1u}}) {
    engine_.clock().Advance(midnight + from_midnight - engine_.clock().Now());
    const std::size_t before = Rows().size();
    Create(Bytes(16, ++n));
    EXPECT_EQ(Rows().size() - before, rows) << from_midnight;
  }
}

TEST_F(RequestMemoryTest, FindsWhatANodeWroteWhoseClockIsInTheNextDay) {
  engine_.clock().Advance(kDay - engine_.clock().Now() % kDay + 2);
  const Said first = Create(kIdentity);
  engine_.clock().Advance(-5);
  EXPECT_EQ(Create(kIdentity).id, first.id);
}

TEST_F(RequestMemoryTest, ForgetsWhatIsOldAndNothingElse) {
  const Said first = Create(kIdentity);
  engine_.clock().Advance(kDay);
  Create(kOther);
  PutRow("requests", AsBytes("another fact"));
  PutRow("reques", AsBytes("and one more"));
  engine_.clock().Advance(2 * kDay);
  ForgetOld();
  EXPECT_EQ(Rows().size(), 1u) << "three days old, and two";
  engine_.clock().Advance(kDay);
  ForgetOld();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_TRUE(engine_.store().GetMeta("requests"));
  EXPECT_TRUE(engine_.store().GetMeta("reques"));
  EXPECT_NE(Create(kIdentity).id, first.id);
}

TEST_F(RequestMemoryTest, ForgetsInPortionsAndAcrossAStandstill) {
  const std::int64_t today = engine_.clock().Now() / kDay;
  const std::string long_ago = "request/" + std::to_string(today - 99) + "/";
  for (int i = 0; i < 4001; ++i) PutRow(long_ago + "0" + std::to_string(i), AsBytes("old"));
  for (const char* name : {"5", "f", "fff"}) PutRow(long_ago + name, AsBytes("old"));
  EXPECT_GT(ForgetOld(), 3);
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(RequestMemoryTest, TheServerForgetsByItself) {
  Create(kIdentity);
  const std::string old = Rows().front();
  engine_.clock().Advance(4 * kDay);
  for (std::uint8_t n = 0; engine_.store().GetMeta(old); ++n) {
    ASSERT_LT(n, 200) << "never forgotten";
    engine_.clock().Advance(60);
    Create(Bytes(16, n));
  }
}

TEST_F(RequestMemoryTest, AnAlteredRowIsRefused) {
  Create(kIdentity);
  const std::string key = Rows().front();
  const Bytes row = *engine_.store().GetMeta(key);
  for (std::size_t at = 0; at < row.size(); at += 7) {
    Bytes altered = row;
    altered[at] ^= 0x40;
    PutRow(key, altered);
    EXPECT_EQ(Create(kIdentity).status, ResultStatus::kOperationFailed) << at;
  }
  PutRow(key, ByteView(row).first(20));
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kOperationFailed);
  PutRow(key, {});
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kOperationFailed);
  PutRow(key, row);
  EXPECT_EQ(Create(kIdentity).status, ResultStatus::kSuccess);
  EXPECT_EQ(Objects(), 1u);
}

TEST_F(RequestMemoryTest, ARowPutInThePlaceOfAnotherIsRefused) {
  Create(kIdentity);
  const std::string key = Rows().front();
  Create(kOther);
  for (const std::string& other : Rows()) {
    if (other != key) PutRow(other, *engine_.store().GetMeta(key));
  }
  EXPECT_EQ(Create(kOther).status, ResultStatus::kOperationFailed);
}

TEST_F(RequestMemoryTest, KeepsNothingOfAKeyThatIsRegistered) {
  const Bytes key(32, 0x5A);
  kmip::RegisterRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  request.attributes.attributes.Add(Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C));
  const SecretBytes structure = *kmip::MakeSymmetricKey(key, kmip::CryptographicAlgorithm::kAES);
  const auto material = structure.Reveal();
  request.object = *ttlv::ParseItem(material);
  Message message;
  message.Add(request, {kIdentity});
  const Said first = Ask(message).front();
  ASSERT_EQ(first.status, ResultStatus::kSuccess);
  EXPECT_EQ(Ask(message).front().id, first.id);
  ASSERT_EQ(Rows().size(), 1u);
  const Bytes row = *engine_.store().GetMeta(Rows().front());
  EXPECT_THAT(std::string(AsText(row)), testing::Not(HasSubstr(std::string(8, 0x5A))));
}

TEST_F(RequestMemoryTest, AnIdentityOnWhatOnlyReadsIsIgnored) {
  const std::string id = engine_.AddAesKey(Bytes(32, 7));
  for (int i = 0; i < 2; ++i) {
    Message message;
    message.Add(kmip::GetRequest{.id = kmip::Identifier(id)}, {kIdentity});
    EXPECT_EQ(Ask(message).front().status, ResultStatus::kSuccess);
  }
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(RequestMemoryTest, TakesIdentitiesOf16To64BytesOnly) {
  for (const std::size_t size : {0u, 15u, 65u}) {
    EXPECT_EQ(Create(Bytes(size, 1)).status, ResultStatus::kOperationFailed) << size;
  }
  Message twice;
  twice.Add(NewKey(), {kIdentity, kOther});
  EXPECT_EQ(Ask(twice).front().status, ResultStatus::kOperationFailed);
  EXPECT_EQ(Objects(), 0u);
  EXPECT_EQ(Create(Bytes(64, 1)).status, ResultStatus::kSuccess);
}

TEST_F(RequestMemoryTest, ACriticalIdentityIsUnderstoodAndMeansTheSameRequest) {
  const Said first = Create(kIdentity);
  Message critical;
  critical.Add(NewKey(), {kIdentity}, /*critical=*/true);
  EXPECT_EQ(Ask(critical).front().id, first.id);
}

TEST_F(RequestMemoryTest, TheAuditLogTellsARepeat) {
  const Said first = Create(kIdentity);
  Create(kIdentity);
  const std::string last = engine_.AuditLines().back();
  EXPECT_THAT(last, HasSubstr("nothing was done again"));
  EXPECT_THAT(last, HasSubstr(first.id));
  EXPECT_THAT(last, HasSubstr("allowed"));
}

TEST_F(RequestMemoryTest, AnswersThatCanHoldSecretsAreNeverRemembered) {
  // Whoever adds an operation that changes something decides here that its answer may be kept.
  std::set<std::string> remembered;
  for (const OperationHandler& handler : OperationHandlers()) {
    if (!RequestMemory::Remembers(handler.operation)) continue;
    remembered.insert(std::string(
        kmip::EnumName(Tag::kOperation, static_cast<std::uint32_t>(handler.operation))));
  }
  EXPECT_THAT(remembered,
              ElementsAre("Activate", "AddAttribute", "AdjustAttribute", "Archive", "Certify",
                          "Create", "CreateKeyPair", "CreateSplitKey", "DeleteAttribute",
                          "DeriveKey", "Destroy", "GetUsageAllocation", "Import", "JoinSplitKey",
                          "ModifyAttribute", "ReCertify", "ReKey", "ReKeyKeyPair", "Recover",
                          "Register", "Revoke", "SetAttribute", "SetConstraints", "SetDefaults"));
}

}  // namespace
}  // namespace dare::engine
