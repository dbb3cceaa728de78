// Certify, Re-certify and Validate on the wire.
#include "kmip/payloads/certify.h"

#include <gtest/gtest.h>

#include "kmip/payloads/re_certify.h"
#include "kmip/payloads/validate.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr ProtocolVersion kAll[] = {kVersion1_0, kVersion1_1, kVersion1_2, kVersion1_3,
                                    kVersion1_4, kVersion2_0, kVersion2_1};

AttributesIn SomeAttributes() {
  AttributesIn in;
  in.attributes.Add(Attribute::OfText(Tag::kContactInformation, "joe"));
  return in;
}

template <typename Payload>
Result<Payload> ThereAndBack(const Payload& payload, ProtocolVersion version) {
  ttlv::Writer out;
  payload.Encode(out, version);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  return Payload::Decode(in, version);
}

TEST(CertifyPayload, CarriesTheRequestUnderTheTagOfTheVersion) {
  for (const ProtocolVersion version : kAll) {
    CertifyRequest request;
    request.id = Identifier("key");
    request.request = RequestToCertify{CertificateRequestType::kPKCS_10, Bytes(3, 1)};
    request.attributes = SomeAttributes();
    const auto read = ThereAndBack(request, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->request->value, Bytes(3, 1));
    EXPECT_TRUE(read->attributes.attributes.Has(Tag::kContactInformation));
    ttlv::Writer out;
    request.Encode(out, version);
    ttlv::Reader other = ttlv::Reader::Members(out.bytes());
    EXPECT_FALSE(CertifyRequest::Decode(other, version.major == 1 ? kVersion2_1 : kVersion1_4));
    EXPECT_EQ(ThereAndBack(CertifyResponse{"new", {}}, version)->id, "new");
  }
}

TEST(CertifyPayload, TheRequestMayBeLeftOutSince11) {
  EXPECT_FALSE(ThereAndBack(CertifyRequest{.id = Identifier("key")}, kVersion1_0));
  EXPECT_TRUE(ThereAndBack(CertifyRequest{.id = Identifier("key")}, kVersion1_1));
  EXPECT_TRUE(ThereAndBack(ReCertifyRequest{.id = Identifier("key")}, kVersion2_1));
}

TEST(CertifyPayload, ARequestWithoutItsTypeIsRefused) {
  ttlv::Writer out;
  out.ByteString(Tag::kCertificateRequestValue, Bytes(3, 1));
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(CertifyRequest::Decode(in, kVersion2_1).error().code, Code::kMalformed);
}

TEST(ReCertifyPayload, NamesARequestObjectSince20) {
  ReCertifyRequest request;
  request.id = Identifier("certificate");
  request.request_id = Identifier("request");
  request.offset = 60;
  const auto read = ThereAndBack(request, kVersion2_0);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(std::get<std::string>(read->request_id->value), "request");
  EXPECT_EQ(read->offset, 60u);
  ttlv::Writer out;
  request.Encode(out, kVersion2_0);
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_FALSE(ReCertifyRequest::Decode(old, kVersion1_4));
}

TEST(ValidatePayload, CarriesBothListsAndTheDate) {
  const Bytes der(5, 9);
  for (const ProtocolVersion version : kAll) {
    ttlv::Writer out;
    ValidateRequest request;
    request.certificates = {{CertificateType::kX_509, der}, {CertificateType::kX_509, der}};
    request.ids = {Identifier("a"), Identifier("b")};
    request.date = 1'700'000'000;
    request.Encode(out, version);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto read = ValidateRequest::Decode(in, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->certificates.size(), 2u);
    EXPECT_EQ(ToBytes(read->certificates[1].value), der);
    EXPECT_EQ(read->ids.size(), 2u);
    EXPECT_EQ(read->date, 1'700'000'000);
    EXPECT_EQ(ThereAndBack(ValidateResponse{ValidityIndicator::kUnknown}, version)->validity,
              ValidityIndicator::kUnknown);
  }
}

TEST(ValidatePayload, BoundsTheChain) {
  ValidateRequest request;
  for (std::size_t i = 0; i <= kMostCertificatesInChain; ++i) {
    request.ids.emplace_back("certificate");
  }
  EXPECT_EQ(ThereAndBack(request, kVersion2_1).error().code, Code::kTooLarge);
  request.ids.pop_back();
  EXPECT_TRUE(ThereAndBack(request, kVersion2_1));
}

}  // namespace
}  // namespace dare::kmip
