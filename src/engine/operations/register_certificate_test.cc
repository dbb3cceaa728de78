// Register, Get and Locate of the objects whose content the server reads: certificates, certificate
// requests, PGP keys.
#include <gtest/gtest.h>

#include <functional>

#include "crypto/certificates_for_test.h"
#include "crypto/digest.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"

namespace dare::engine {
namespace {

namespace pki = crypto::certificates_for_test;
using kmip::Attribute;
using kmip::CertificateType;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

// An object structure, kept alive for the request that borrows it.
struct Brought {
  WipingBytes bytes;
  kmip::RegisterRequest request;
};

Brought Bring(ObjectType type, Tag tag, const std::function<void(ttlv::Writer&)>& members,
              const std::vector<Attribute>& attributes = {}) {
  Brought brought;
  ttlv::Writer out;
  out.Structure(tag, [&] { members(out); });
  brought.bytes = out.Take();
  brought.request.object_type = type;
  brought.request.attributes = AttributesForTest(attributes);
  brought.request.object = *ttlv::ParseItem(brought.bytes);
  return brought;
}

Brought Certificate(ByteView der, const std::vector<Attribute>& attributes = {},
                    CertificateType type = CertificateType::kX_509) {
  return Bring(
      ObjectType::kCertificate, Tag::kCertificate,
      [&](ttlv::Writer& out) {
        out.Enum(Tag::kCertificateType, type);
        out.ByteString(Tag::kCertificateValue, der);
      },
      attributes);
}

Brought Request(ByteView value, kmip::CertificateRequestType type) {
  return Bring(ObjectType::kCertificateRequest, Tag::kCertificateRequest, [&](ttlv::Writer& out) {
    out.Enum(Tag::kCertificateRequestType, type);
    out.ByteString(Tag::kCertificateRequestValue, value);
  });
}

Brought PgpKey() {
  return Bring(ObjectType::kPGPKey, Tag::kPGPKey, [](ttlv::Writer& out) {
    out.Integer(Tag::kPGPKeyVersion, 4);
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, kmip::KeyFormatType::kRaw);
      out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, Bytes(40, 5)); });
      out.Enum(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kRSA);
      out.Integer(Tag::kCryptographicLength, 2048);
    });
  });
}

std::string Text(const kmip::AttributeSet& set, Tag tag, Tag member) {
  const Attribute* attribute = set.Find(tag);
  if (attribute == nullptr) return "none";
  ttlv::Reader members = *attribute->View().Members();
  while (!members.AtEnd() && !members.At(member)) (void)members.Skip();
  const auto item = members.Next();
  if (!item) return "no such member";
  return item->type == ttlv::Type::kTextString ? std::string(*item->AsText())
                                               : ToHex(*item->AsByteString());
}

TEST(RegisterCertificate, GivesItBackByteForByteInEveryVersion) {
  EngineForTest engine;
  const Bytes der = pki::Der(pki::kLeaf);
  for (const kmip::ProtocolVersion version :
       {kmip::kVersion1_0, kmip::kVersion1_1, kmip::kVersion1_2, kmip::kVersion1_3,
        kmip::kVersion1_4, kmip::kVersion2_0, kmip::kVersion2_1}) {
    const Brought brought = Certificate(der);
    const auto id = engine.Must<kmip::RegisterResponse>(brought.request, version).id;
    const auto got =
        engine.Must<kmip::GetResponse>(kmip::GetRequest{.id = kmip::Identifier(id)}, version);
    EXPECT_EQ(got.type, ObjectType::kCertificate);
    EXPECT_EQ(ToHex(got.object.whole), ToHex(brought.bytes));
    EXPECT_TRUE(engine.Do(kmip::DestroyRequest{.id = kmip::Identifier(id)}, version).success);
  }
}

TEST(RegisterCertificate, HasOneFormat) {
  EngineForTest engine;
  const auto id = engine.Must<kmip::RegisterResponse>(Certificate(pki::Der(pki::kLeaf)).request).id;
  const auto get = [&](kmip::KeyFormatType format) {
    return engine.Do(kmip::GetRequest{.id = kmip::Identifier(id), .format = format});
  };
  EXPECT_TRUE(get(kmip::KeyFormatType::kX_509).success);
  EXPECT_TRUE(get(kmip::KeyFormatType::kRaw).success);
  EXPECT_EQ(get(kmip::KeyFormatType::kPKCS_8).reason, ResultReason::kKeyFormatTypeNotSupported);
}

TEST(RegisterCertificate, TellsWhatStandsInIt) {
  EngineForTest engine;
  const Bytes der = pki::Der(pki::kLeaf);
  const auto id = engine.Must<kmip::RegisterResponse>(Certificate(der).request).id;
  const kmip::AttributeSet all = ReadForTest(engine, id);
  EXPECT_EQ(all.Enum<CertificateType>(Tag::kCertificateType), CertificateType::kX_509);
  EXPECT_EQ(all.Integer(Tag::kCertificateLength), static_cast<std::int32_t>(der.size()));
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectCN), "EE");
  EXPECT_EQ(all.Text(Tag::kCertificateIssuerCN), "Inter");
  EXPECT_EQ(all.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm),
            kmip::CryptographicAlgorithm::kECDSA);
  EXPECT_EQ(all.Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(all.Enum<kmip::DigitalSignatureAlgorithm>(Tag::kDigitalSignatureAlgorithm),
            kmip::DigitalSignatureAlgorithm::kECDSAWithSHA256);
  // digitalSignature and keyEncipherment: Verify, Wrap Key.
  EXPECT_EQ(all.Integer(Tag::kCryptographicUsageMask), 0x12);
  const auto digest = crypto::Sha256(der);
  EXPECT_EQ(Text(all, Tag::kDigest, Tag::kDigestValue), ToHex(digest));
  EXPECT_EQ(Text(all, Tag::kX_509CertificateSubject, Tag::kSubjectDistinguishedName),
            "302e310b300906035504061302415531123010060355040a0c094b6d69702054657374310b300906035504"
            "030c024545");
  EXPECT_EQ(Text(all, Tag::kX_509CertificateSubject, Tag::kSubjectAlternativeName),
            "820f7777772e6578616d706c652e636f6d");
  EXPECT_FALSE(all.Has(Tag::kCertificateSubject));  // 1.x only

  const kmip::AttributeSet old = ReadForTest(engine, id, kmip::kVersion1_0);
  EXPECT_EQ(Text(old, Tag::kCertificateIdentifier, Tag::kIssuer), "CN=Inter,O=Kmip Test,C=AU");
  EXPECT_EQ(Text(old, Tag::kCertificateSubject, Tag::kCertificateSubjectDistinguishedName),
            "CN=EE,O=Kmip Test,C=AU");
  EXPECT_EQ(Text(old, Tag::kCertificateSubject, Tag::kCertificateSubjectAlternativeName),
            "www.example.com");
  EXPECT_FALSE(old.Has(Tag::kX_509CertificateSubject));
  EXPECT_FALSE(old.Has(Tag::kCertificateLength));
}

TEST(RegisterCertificate, KeepsEveryPartOfANameAndLocatesByIt) {
  EngineForTest engine;
  const auto id =
      engine.Must<kmip::RegisterResponse>(Certificate(pki::Der(pki::kEverything)).request).id;
  const auto other =
      engine.Must<kmip::RegisterResponse>(Certificate(pki::Der(pki::kLeaf)).request).id;
  const kmip::AttributeSet all = ReadForTest(engine, id);
  EXPECT_EQ(all.Count({Tag::kCertificateSubjectOU, "", ""}), 2u);
  EXPECT_EQ(all.Count({Tag::kCertificateSubjectDC, "", ""}), 2u);
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectEmail), "x@example.com");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectUID), "u1");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectTitle), "Dr");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectSerialNumber), "77");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectDNQualifier), "q");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectL), "München");
  EXPECT_EQ(all.Text(Tag::kCertificateSubjectST), "Bayern");
  const auto find = [&](const Attribute& wanted) {
    kmip::LocateRequest request;
    request.attributes.Add(wanted);
    return engine.Must<kmip::LocateResponse>(request).ids;
  };
  EXPECT_EQ(find(Attribute::OfText(Tag::kCertificateSubjectOU, "Two")),
            std::vector<std::string>{id});
  EXPECT_EQ(find(*ReadForTest(engine, other).Find(Tag::kX_509CertificateIdentifier)),
            std::vector<std::string>{other});
  EXPECT_EQ(find(Attribute::OfText(Tag::kCertificateIssuerCN, "Inter")).size(), 2u);
}

TEST(RegisterCertificate, RefusesWhatDisagreesOrIsNone) {
  EngineForTest engine;
  const Bytes der = pki::Der(pki::kLeaf);
  const auto reason = [&](const Brought& brought) { return engine.Do(brought.request).reason; };
  EXPECT_EQ(reason(Certificate(der, {Attribute::OfInteger(Tag::kCertificateLength, 1)})),
            ResultReason::kInvalidField);
  EXPECT_EQ(reason(Certificate(der, {EnumForTest(Tag::kCertificateType, CertificateType::kPGP)})),
            ResultReason::kInvalidField);
  EXPECT_EQ(reason(Certificate(
                der, {EnumForTest(Tag::kDigitalSignatureAlgorithm,
                                  kmip::DigitalSignatureAlgorithm::kSHA_256WithRSAEncryption)})),
            ResultReason::kInvalidField);
  EXPECT_EQ(reason(Certificate(der, {Attribute::OfInteger(Tag::kCryptographicLength, 384)})),
            ResultReason::kInvalidField);
  EXPECT_EQ(reason(Certificate(Bytes(20, 1))), ResultReason::kInvalidField);
  EXPECT_EQ(reason(Certificate(der, {Attribute::OfText(Tag::kCertificateSubjectCN, "admin")})),
            ResultReason::kAttributeReadOnly);
}

TEST(RegisterCertificate, KeepsAPgpCertificateUnread) {
  EngineForTest engine;
  const auto id = engine
                      .Must<kmip::RegisterResponse>(
                          Certificate(Bytes(20, 1), {}, CertificateType::kPGP).request)
                      .id;
  EXPECT_EQ(ReadForTest(engine, id).Integer(Tag::kCertificateLength), 20);
}

TEST(RegisterCertificateRequest, IsReadAndKeptSince20) {
  EngineForTest engine;
  const Bytes der = pki::Der(pki::kRequest);
  const Brought brought = Request(der, kmip::CertificateRequestType::kPKCS_10);
  EXPECT_FALSE(engine.Do(brought.request, kmip::kVersion1_4).success);
  const auto id = engine.Must<kmip::RegisterResponse>(brought.request).id;
  EXPECT_EQ(ReadForTest(engine, id).Integer(Tag::kCryptographicLength), 256);
  const auto got = engine.Must<kmip::GetResponse>(kmip::GetRequest{.id = kmip::Identifier(id)});
  EXPECT_EQ(ToHex(got.object.whole), ToHex(brought.bytes));
  EXPECT_EQ(engine.Do(Request(Bytes(9, 9), kmip::CertificateRequestType::kPKCS_10).request).reason,
            ResultReason::kInvalidCSR);
  EXPECT_EQ(engine.Do(Request(der, kmip::CertificateRequestType::kPEM).request).reason,
            ResultReason::kInvalidCSR);
  EXPECT_TRUE(engine.Do(Request(Bytes(9, 9), kmip::CertificateRequestType::kCRMF).request).success);
}

TEST(RegisterPgpKey, IsKeptSince12) {
  EngineForTest engine;
  const Brought brought = PgpKey();
  EXPECT_EQ(engine.Do(brought.request, kmip::kVersion1_1).reason, ResultReason::kInvalidField);
  const auto id = engine.Must<kmip::RegisterResponse>(brought.request, kmip::kVersion1_2).id;
  const auto got = engine.Must<kmip::GetResponse>(
      kmip::GetRequest{.id = kmip::Identifier(id), .format = kmip::KeyFormatType::kRaw},
      kmip::kVersion1_2);
  EXPECT_EQ(ToHex(got.object.whole), ToHex(brought.bytes));
  EXPECT_EQ(ReadForTest(engine, id).Integer(Tag::kCryptographicLength), 2048);
}

}  // namespace
}  // namespace dare::engine
