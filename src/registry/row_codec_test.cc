#include "registry/row_codec.h"

#include <gtest/gtest.h>

namespace dare::registry {
namespace {

TEST(RowCodec, WritesAndReadsEachKindOfRow) {
  const auto token = DecodeToken(EncodeToken({{"alice", {"dare-client", "g"}}, 77, 3}));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->subject.units, (std::vector<std::string>{"dare-client", "g"}));
  EXPECT_EQ(token->expires, 77);
  EXPECT_EQ(token->uses, 3);
  const server::CertificateRecord record = {"ab12", {"alice", {"g"}}, "ff", 5, 6};
  const auto certificate =
      DecodeCertificate(CertificateName("alice", "ab12"), EncodeCertificate(record));
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->serial, "ab12");
  EXPECT_EQ(certificate->subject.common_name, "alice");
  EXPECT_EQ(certificate->not_after, 6);
  const auto credential = DecodeCredential("login/Fred", EncodeCredential({"", "f", {}, {7}, 8}));
  ASSERT_TRUE(credential);
  EXPECT_EQ(credential->login, "Fred");
  EXPECT_EQ(credential->verifier, Bytes{7});
  const auto event = DecodeEvent(EncodeEvent({RevocationEvent::Kind::kName, "alice", 9}));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, RevocationEvent::Kind::kName);
  EXPECT_EQ(event->what, "alice");
}

TEST(RowCodec, NamesEventsInTheOrderOfTheirGroups) {
  EXPECT_LT(EventName(9, 100), EventName(10, 0));
  EXPECT_LT(EventName(10, 9), EventName(10, 10));
  EXPECT_EQ(*GroupOfEvent(EventName(0x1234, 5)), 0x1234u);
  EXPECT_FALSE(GroupOfEvent(""));
  EXPECT_FALSE(GroupOfEvent("0000000000000001"));
  EXPECT_FALSE(GroupOfEvent("000000000000000x-000000"));
}

TEST(RowCodec, RefusesRowsThatAreCutOrLengthened) {
  const Bytes whole = EncodeToken({{"alice", {"g"}}, 77, 3});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(DecodeToken(ByteView(whole).first(length))) << length;
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_FALSE(DecodeToken(longer));
  Bytes other = whole;
  other[0] = 2;
  EXPECT_FALSE(DecodeToken(other)) << "a later version";
  Bytes many = whole;
  many[1 + 4 + 5] = 0xFF;  // more units than there are bytes
  EXPECT_FALSE(DecodeToken(many));
  EXPECT_FALSE(DecodeEvent(EncodeEvent({static_cast<RevocationEvent::Kind>(4), "x", 1})));
  EXPECT_FALSE(DecodeCertificate("certificate/alice", EncodeCertificate({})));
}

}  // namespace
}  // namespace dare::registry
