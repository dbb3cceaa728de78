// Certify and Re-certify, with an authority whose key is in memory.
#include "engine/operations/certify.h"

#include <gtest/gtest.h>

#include "crypto/certificate.h"
#include "crypto/certificate_chain.h"
#include "crypto/certificate_request.h"
#include "crypto/certificates_for_test.h"
#include "engine/automatic_rotation.h"
#include "engine/caller.h"
#include "engine/group_commit.h"
#include "engine/issuer_for_test.h"
#include "engine/kms.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/certificate.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/re_certify.h"
#include "kmip/payloads/revoke.h"

namespace dare::engine {
namespace {

namespace pki = crypto::certificates_for_test;
using kmip::Attribute;
using kmip::CertificateRequestType;
using kmip::Identifier;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

class CertifyTest : public testing::Test {
 protected:
  CertifyTest() : issuer_(engine_.clock().Now()) { engine_.UseIssuer(&issuer_); }

  static kmip::RequestToCertify Pkcs10(std::string_view base64 = pki::kClientRequest) {
    return {CertificateRequestType::kPKCS_10, pki::Der(base64)};
  }

  // The public key of the certificate request, as an object.
  std::string KeepPublicKey(const std::vector<Attribute>& attributes = {}) {
    const auto request = crypto::ReadCertificateRequest(crypto::CertificateRequestFormat::kPkcs10,
                                                        pki::Der(pki::kClientRequest));
    ttlv::Writer out;
    out.Structure(Tag::kPublicKey, [&] {
      out.Structure(Tag::kKeyBlock, [&] {
        out.Enum(Tag::kKeyFormatType, kmip::KeyFormatType::kX_509);
        out.Structure(Tag::kKeyValue,
                      [&] { out.ByteString(Tag::kKeyMaterial, request->public_key); });
        out.Enum(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kECDSA);
        out.Integer(Tag::kCryptographicLength, 256);
      });
    });
    return engine_.AddObject(ObjectType::kPublicKey, *SecretBytes::CopyOf(out.bytes()), attributes);
  }

  std::string Certified(const kmip::CertifyRequest& request,
                        kmip::ProtocolVersion version = kmip::kVersion2_1) {
    return engine_.Must<kmip::CertifyResponse>(request, version).id;
  }
  Bytes DerOf(const std::string& id) {
    const auto got = engine_.Must<kmip::GetResponse>(kmip::GetRequest{.id = Identifier(id)});
    return ToBytes(kmip::ReadCertificate(got.object)->value);
  }
  // Identifiers that the links of one type name.
  std::vector<std::string> Links(const std::string& id, LinkType type) {
    std::vector<std::string> linked;
    const kmip::AttributeSet all = ReadForTest(engine_, id);
    for (const Attribute& attribute : all.all()) {
      if (attribute.tag != Tag::kLink) continue;
      ttlv::Reader members = *attribute.View().Members();
      if (*members.Enum<LinkType>(Tag::kLinkType) != type) continue;
      linked.emplace_back(*members.Text(Tag::kLinkedObjectIdentifier));
    }
    return linked;
  }

  EngineForTest engine_;
  const IssuerForTest issuer_;
};

using Ids = std::vector<std::string>;

TEST_F(CertifyTest, SignsARequestForAPublicKeyAndLinksBoth) {
  for (const auto version : {kmip::kVersion1_0, kmip::kVersion1_4, kmip::kVersion2_1}) {
    const std::string key = KeepPublicKey();
    kmip::CertifyRequest request{.id = Identifier(key), .request = Pkcs10()};
    request.attributes = AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 3)});
    const std::string id = Certified(request, version);
    const Bytes der = DerOf(id);
    const crypto::CertificateFacts facts = *crypto::ReadCertificate(der);
    EXPECT_EQ(facts.subject.text, "CN=Client,OU=KMIP,O=ACME,C=US");
    EXPECT_EQ(facts.issuer.text, "CN=KMIP,OU=OASIS,O=TEST,C=US");
    ASSERT_EQ(facts.subject_alternatives.size(), 1u);
    EXPECT_EQ(facts.subject_alternatives[0].text, "client.example.com");
    const std::vector<ByteView> chain = {der, issuer_.certificate()};
    EXPECT_EQ(*crypto::JudgeChain(chain, {}, engine_.clock().Now() + 1, false),
              crypto::ChainVerdict::kValid);
    const kmip::AttributeSet all = ReadForTest(engine_, id);
    EXPECT_EQ(all.Text(Tag::kCertificateSubjectCN), "Client");
    EXPECT_EQ(all.Integer(Tag::kCryptographicUsageMask), 3);
    EXPECT_TRUE(all.Has(Tag::kOriginalCreationDate));
    EXPECT_EQ(Links(id, LinkType::kPublicKeyLink), Ids{key});
    EXPECT_EQ(Links(key, LinkType::kCertificateLink), Ids{id});
  }
}

TEST_F(CertifyTest, CertifiesAPublicKeyWithoutRequestUnderItsName) {
  const std::string key = KeepPublicKey({Attribute::OfName("web server")});
  kmip::CertifyRequest request{.id = Identifier(key)};
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  request.attributes =
      AttributesForTest({EnumForTest(Tag::kCertificateType, kmip::CertificateType::kX_509)});
  EXPECT_EQ(crypto::ReadCertificate(DerOf(Certified(request)))->subject.text, "CN=web server");
  request.attributes =
      AttributesForTest({EnumForTest(Tag::kCertificateType, kmip::CertificateType::kPGP)});
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kFeatureNotSupported);
}

TEST_F(CertifyTest, TakesARequestAloneOrAsAnObjectSince20) {
  const kmip::CertifyRequest alone{.request = Pkcs10()};
  EXPECT_EQ(crypto::ReadCertificate(DerOf(Certified(alone)))->subject.text,
            "CN=Client,OU=KMIP,O=ACME,C=US");
  EXPECT_EQ(engine_.Do(alone, kmip::kVersion1_4).reason, ResultReason::kItemNotFound);
  ttlv::Writer out;
  out.Structure(Tag::kCertificateRequest, [&] {
    out.Enum(Tag::kCertificateRequestType, CertificateRequestType::kPKCS_10);
    out.ByteString(Tag::kCertificateRequestValue, pki::Der(pki::kClientRequest));
  });
  kmip::RegisterRequest bring;
  bring.object_type = ObjectType::kCertificateRequest;
  bring.object = *ttlv::ParseItem(out.bytes());
  const auto kept = engine_.Must<kmip::RegisterResponse>(bring).id;
  const std::string id = Certified({.id = Identifier(kept)});
  EXPECT_EQ(ReadForTest(engine_, id).Text(Tag::kCertificateSubjectO), "ACME");
}

TEST_F(CertifyTest, AsksForTheUseThatTheRequestOrElseTheMaskNames) {
  kmip::CertifyRequest request{.request = Pkcs10()};
  Certified(request);
  EXPECT_EQ(issuer_.last().key_usage, crypto::kUsageDigitalSignature);
  // Wrap and Unwrap; the request names none.
  request.request = Pkcs10(pki::kPlainRequest);
  request.attributes =
      AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x30),
                         Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 1000)});
  Certified(request);
  EXPECT_EQ(issuer_.last().key_usage, crypto::kUsageKeyEncipherment);
  EXPECT_EQ(issuer_.last().good_until, engine_.clock().Now() + 1000);
}

TEST_F(CertifyTest, MakesNoAuthorities) {
  EXPECT_EQ(engine_.Do(kmip::CertifyRequest{.request = Pkcs10(pki::kRequest)}).reason,
            ResultReason::kPermissionDenied);
  kmip::CertifyRequest request{.request = Pkcs10(pki::kPlainRequest)};
  request.attributes =
      AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x1000)});
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kPermissionDenied);
}

TEST_F(CertifyTest, RefusesBadRequestsAndOtherKeys) {
  const std::string key = KeepPublicKey();
  const auto reason = [&](kmip::RequestToCertify what,
                          kmip::ProtocolVersion version = kmip::kVersion2_1) {
    return engine_
        .Do(kmip::CertifyRequest{.id = Identifier(key), .request = std::move(what)}, version)
        .reason;
  };
  EXPECT_EQ(reason(Pkcs10(pki::kPlainRequest)), ResultReason::kInvalidCSR);
  EXPECT_EQ(reason({CertificateRequestType::kPKCS_10, Bytes(9, 9)}), ResultReason::kInvalidCSR);
  EXPECT_EQ(reason({CertificateRequestType::kPKCS_10, Bytes(9, 9)}, kmip::kVersion1_4),
            ResultReason::kInvalidField);
  Bytes forged = pki::Der(pki::kClientRequest);
  forged.back() ^= 1;
  EXPECT_EQ(reason({CertificateRequestType::kPKCS_10, forged}), ResultReason::kInvalidCSR);
  EXPECT_EQ(reason({CertificateRequestType::kCRMF, forged}), ResultReason::kFeatureNotSupported);
  kmip::CertifyRequest symmetric{.id = Identifier(NewKeyForTest(engine_)), .request = Pkcs10()};
  EXPECT_EQ(engine_.Do(symmetric).reason, ResultReason::kInvalidObjectType);
  EXPECT_EQ(engine_.Do(symmetric, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
}

TEST_F(CertifyTest, OnlyWhomTheAuthorityServesMayAsk) {
  const kmip::CertifyRequest request{.request = Pkcs10()};
  const ItemForTest refused = engine_.Do(request, kmip::kVersion2_1, "bob");
  EXPECT_EQ(refused.reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "bob", true).reason,
            ResultReason::kPermissionDenied);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_1, "").reason, ResultReason::kPermissionDenied);
}

TEST_F(CertifyTest, IsNotSupportedWithoutAnAuthority) {
  engine_.UseIssuer(nullptr);
  EXPECT_EQ(engine_.Do(kmip::CertifyRequest{.request = Pkcs10()}).reason,
            ResultReason::kOperationNotSupported);
  EXPECT_EQ(engine_.Do(kmip::ReCertifyRequest{.id = Identifier("x")}).reason,
            ResultReason::kOperationNotSupported);
}

TEST_F(CertifyTest, QueryNamesItWhereThereIsAnAuthority) {
  const kmip::QueryRequest request{.functions = {kmip::QueryFunction::kQueryOperations}};
  const auto offers = [&] {
    const auto list = engine_.Must<kmip::QueryResponse>(request).operations;
    return std::ranges::find(list, kmip::Operation::kCertify) != list.end();
  };
  EXPECT_TRUE(offers());
  engine_.UseIssuer(nullptr);
  EXPECT_FALSE(offers());
}

TEST_F(CertifyTest, RevokedKeysAreNotCertified) {
  const std::string key = KeepPublicKey();
  kmip::RevokeRequest revoke;
  revoke.id = Identifier(key);
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  ASSERT_TRUE(engine_.Do(revoke).success);
  EXPECT_EQ(engine_.Do(kmip::CertifyRequest{.id = Identifier(key), .request = Pkcs10()}).reason,
            ResultReason::kWrongKeyLifecycleState);
}

TEST_F(CertifyTest, RenewsACertificateInItsPlace) {
  const std::string key = KeepPublicKey();
  kmip::CertifyRequest first{.id = Identifier(key), .request = Pkcs10()};
  first.attributes = AttributesForTest({Attribute::OfName("certificate1"),
                                        Attribute::OfInteger(Tag::kCryptographicUsageMask, 3),
                                        CustomForTest("note", "kept")});
  const std::string old = Certified(first);
  kmip::ReCertifyRequest again{.id = Identifier(old), .request = Pkcs10()};
  again.attributes = AttributesForTest({Attribute::OfName("certificate2")});
  const auto renewed = engine_.Must<kmip::ReCertifyResponse>(again, kmip::kVersion1_2).id;

  EXPECT_EQ(Links(renewed, LinkType::kReplacedObjectLink), Ids{old});
  EXPECT_EQ(Links(renewed, LinkType::kPublicKeyLink), Ids{key});
  EXPECT_EQ(Links(old, LinkType::kReplacementObjectLink), Ids{renewed});
  EXPECT_EQ(Links(key, LinkType::kCertificateLink), Ids{renewed});
  const kmip::AttributeSet all = ReadForTest(engine_, renewed);
  EXPECT_EQ(all.Names(), (Ids{"certificate2", "certificate1"}));
  EXPECT_TRUE(ReadForTest(engine_, old).Names().empty());
  EXPECT_EQ(all.Integer(Tag::kCryptographicUsageMask), 3);
  EXPECT_EQ(all.Count({Tag::kAttribute, "x", "note"}), 1u);
  EXPECT_EQ(all.Count({Tag::kCertificateSubjectCN, "", ""}), 1u);
  EXPECT_NE(crypto::ReadCertificate(DerOf(renewed))->serial_hex,
            crypto::ReadCertificate(DerOf(old))->serial_hex);
}

TEST_F(CertifyTest, RenewsWithoutARequestWhatTheOldCertificateSays) {
  kmip::CertifyRequest first{.request = Pkcs10()};
  first.attributes =
      AttributesForTest({Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now() - 100),
                         Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 1000)});
  const std::string old = Certified(first);
  kmip::ReCertifyRequest again{.id = Identifier(old), .offset = 50};
  const auto renewed = engine_.Must<kmip::ReCertifyResponse>(again).id;
  const crypto::CertificateFacts facts = *crypto::ReadCertificate(DerOf(renewed));
  EXPECT_EQ(facts.subject.text, "CN=Client,OU=KMIP,O=ACME,C=US");
  EXPECT_EQ(facts.subject_alternatives.size(), 1u);
  const kmip::AttributeSet all = ReadForTest(engine_, renewed);
  EXPECT_EQ(all.Date(Tag::kActivationDate), engine_.clock().Now() + 50);
  EXPECT_EQ(all.Date(Tag::kDeactivationDate), engine_.clock().Now() + 1150);
  again.attributes =
      AttributesForTest({Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now())});
  EXPECT_EQ(engine_.Do(again).reason, ResultReason::kInvalidMessage);
}

TEST_F(CertifyTest, RenewsOnlyForTheSameKeyAndOnlyCertificates) {
  const std::string old = Certified({.request = Pkcs10()});
  EXPECT_EQ(
      engine_
          .Do(kmip::ReCertifyRequest{.id = Identifier(old), .request = Pkcs10(pki::kPlainRequest)})
          .reason,
      ResultReason::kInvalidCSR);
  const kmip::ReCertifyRequest symmetric{.id = Identifier(NewKeyForTest(engine_))};
  EXPECT_EQ(engine_.Do(symmetric).reason, ResultReason::kInvalidObjectType);
  kmip::RevokeRequest revoke;
  revoke.id = Identifier(old);
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  ASSERT_TRUE(engine_.Do(revoke).success);
  EXPECT_EQ(engine_.Do(kmip::ReCertifyRequest{.id = Identifier(old)}).reason,
            ResultReason::kWrongKeyLifecycleState);
}

//= kmip-2.1 4.48 Rotate Automatic
//# automatically rotated by the server using the Rotate Interval via the equivalent of the ReKey,
//# ReKeyKeyPair or ReCertify operation
TEST_F(CertifyTest, TheServerRenewsByItselfForThoseItServes) {
  kmip::CertifyRequest request{.request = Pkcs10()};
  request.attributes = AttributesForTest({Attribute::OfBoolean(Tag::kRotateAutomatic, true),
                                          Attribute::OfInterval(Tag::kRotateInterval, 7200)});
  const std::string mine = Certified(request);
  // The issuer serves alice only.
  const ObjectType type = ObjectType::kCertificate;
  const auto got = engine_.Must<kmip::GetResponse>(kmip::GetRequest{.id = Identifier(mine)});
  engine_.AddObject(type, *SecretBytes::CopyOf(got.object.whole),
                    request.attributes.attributes.all(), "bob");
  AutomaticRotation rotation(
      engine_.kms().store(), engine_.kms().vault(), engine_.clock(), {.shortest_seconds = 1},
      [&](WipingBytes message, std::shared_ptr<const Caller> caller,
          std::unique_ptr<Completion> completion) {
        engine_.kms().Submit(std::move(message), std::move(caller), std::move(completion));
      });
  engine_.clock().Advance(7200);
  EXPECT_EQ(rotation.Look([] { return false; }).value(), 1u);
  ASSERT_EQ(Links(mine, LinkType::kReplacementObjectLink).size(), 1u);
  const std::string renewed = Links(mine, LinkType::kReplacementObjectLink).front();
  EXPECT_EQ(crypto::ReadCertificate(DerOf(renewed))->subject.text, "CN=Client,OU=KMIP,O=ACME,C=US");
  EXPECT_EQ(engine_.store().Count({.owner = "bob"}).value(), 1u);
}

}  // namespace
}  // namespace dare::engine
