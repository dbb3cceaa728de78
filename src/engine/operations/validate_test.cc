#include "engine/operations/validate.h"

#include <gtest/gtest.h>

#include "crypto/certificates_for_test.h"
#include "engine/issuer_for_test.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/certificate.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/revoke.h"

namespace dare::engine {
namespace {

namespace pki = crypto::certificates_for_test;
using kmip::Identifier;
using kmip::ResultReason;
using kmip::ValidityIndicator;

class ValidateTest : public testing::Test {
 protected:
  std::string Keep(std::string_view base64, const std::string& owner = "alice") {
    const SecretBytes object =
        *kmip::MakeCertificate(kmip::CertificateType::kX_509, pki::Der(base64));
    kmip::RegisterRequest request;
    request.object_type = kmip::ObjectType::kCertificate;
    request.object = *ttlv::ParseItem(object.Reveal());
    const ItemForTest item = engine_.Do(request, kmip::kVersion2_1, owner);
    EXPECT_TRUE(item.success) << item.message;
    ttlv::Reader in = item.in();
    return kmip::RegisterResponse::Decode(in, kmip::kVersion2_1)->id;
  }

  ItemForTest Ask(const std::vector<std::string_view>& sent, const std::vector<std::string>& ids,
                  std::optional<std::int64_t> date = std::nullopt,
                  kmip::ProtocolVersion version = kmip::kVersion2_1) {
    std::vector<Bytes> der;
    for (const std::string_view text : sent) der.push_back(pki::Der(text));
    kmip::ValidateRequest request;
    for (const Bytes& one : der) {
      request.certificates.push_back({kmip::CertificateType::kX_509, one});
    }
    for (const std::string& id : ids) request.ids.emplace_back(id);
    request.date = date;
    return engine_.Do(request, version);
  }
  ValidityIndicator Judge(const std::vector<std::string_view>& sent,
                          const std::vector<std::string>& ids,
                          std::optional<std::int64_t> date = std::nullopt,
                          kmip::ProtocolVersion version = kmip::kVersion2_1) {
    const ItemForTest item = Ask(sent, ids, date, version);
    EXPECT_TRUE(item.success) << item.message;
    ttlv::Reader in = item.in();
    return kmip::ValidateResponse::Decode(in, version)->validity;
  }

  EngineForTest engine_;
};

TEST_F(ValidateTest, JudgesAChainSentKeptOrBoth) {
  for (const auto version : {kmip::kVersion1_0, kmip::kVersion1_4, kmip::kVersion2_1}) {
    EXPECT_EQ(Judge({pki::kLeaf, pki::kInter, pki::kRoot}, {}, std::nullopt, version),
              ValidityIndicator::kValid);
  }
  const std::vector<std::string> kept = {Keep(pki::kRoot), Keep(pki::kInter)};
  EXPECT_EQ(Judge({pki::kLeaf}, kept), ValidityIndicator::kValid);
  EXPECT_EQ(Judge({}, {Keep(pki::kLeaf), kept[0], kept[1]}), ValidityIndicator::kValid);
  EXPECT_EQ(Judge({pki::kLeaf}, {kept[1]}), ValidityIndicator::kUnknown);
  EXPECT_EQ(Judge({pki::kRogue, pki::kLeaf}, kept), ValidityIndicator::kInvalid);
}

TEST_F(ValidateTest, AsksWhetherAllAreGoodAtTheDate) {
  EXPECT_EQ(Judge({pki::kExpired, pki::kInter, pki::kRoot}, {}), ValidityIndicator::kInvalid);
  EXPECT_EQ(Judge({pki::kExpired, pki::kInter, pki::kRoot}, {}, 1'590'000'000),
            ValidityIndicator::kValid);
}

TEST_F(ValidateTest, ARevokedObjectMakesNoValidChain) {
  const std::vector<std::string> kept = {Keep(pki::kRoot), Keep(pki::kInter)};
  EXPECT_EQ(Judge({pki::kLeaf}, kept), ValidityIndicator::kValid);
  kmip::RevokeRequest revoke;
  revoke.id = Identifier(kept[1]);
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  revoke.compromise_occurrence_date = engine_.clock().Now();
  ASSERT_TRUE(engine_.Do(revoke).success);
  EXPECT_EQ(Judge({pki::kLeaf}, kept), ValidityIndicator::kInvalid);
}

TEST_F(ValidateTest, RefusesWhatIsNoListOfCertificates) {
  EXPECT_EQ(Ask({}, {}).reason, ResultReason::kInvalidMessage);
  EXPECT_EQ(Ask({}, {NewKeyForTest(engine_)}).reason, ResultReason::kInvalidObjectType);
  EXPECT_EQ(Ask({}, {"nothing"}).reason, ResultReason::kObjectNotFound);
  EXPECT_EQ(Ask({}, {Keep(pki::kLeaf, "bob")}).reason, ResultReason::kPermissionDenied);
  kmip::ValidateRequest request;
  const Bytes rubbish(20, 1);
  request.certificates = {{kmip::CertificateType::kX_509, rubbish}};
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  const std::string gone = Keep(pki::kLeaf);
  ASSERT_TRUE(engine_.Do(kmip::DestroyRequest{.id = Identifier(gone)}).success);
  EXPECT_EQ(Ask({}, {gone}).reason, ResultReason::kObjectDestroyed);
}

}  // namespace
}  // namespace dare::engine
