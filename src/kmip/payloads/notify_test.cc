// Notify and Put: what a server sends without being asked.
#include "kmip/payloads/notify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "kmip/managed_object.h"
#include "kmip/payloads/put.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr ProtocolVersion kVersions[] = {kVersion1_0, kVersion1_4, kVersion2_0, kVersion2_1};
const AttributeReference kContact{.tag = Tag::kContactInformation, .vendor = "", .name = ""};

Attribute Deactivated() {
  return Attribute::OfEnumeration(Tag::kState, static_cast<std::uint32_t>(State::kDeactivated));
}

template <typename Payload>
Result<Payload> Read(const std::function<void(ttlv::Writer&)>& write, ProtocolVersion version) {
  ttlv::Writer out;
  write(out);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  return Payload::Decode(in, version);
}

TEST(Notify, IsReadAsWritten) {
  for (const ProtocolVersion version : kVersions) {
    const NotifyRequest request{.id = "k", .changed = {Deactivated()}, .removed = {kContact}};
    const auto read =
        Read<NotifyRequest>([&](auto& out) { request.Encode(out, version); }, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->id, "k");
    EXPECT_EQ(read->changed, request.changed);
    EXPECT_EQ(read->removed.size(), IsVersion1(version) ? 0u : 1u);
  }
}

TEST(Notify, MayNameAnObjectAndNothingElse) {
  const auto read = Read<NotifyRequest>(
      [](ttlv::Writer& out) { out.Text(Tag::kUniqueIdentifier, "k"); }, kVersion2_1);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->changed.empty());
}

TEST(Notify, RefusesLeftoversAndWhoNamesNoObject) {
  EXPECT_FALSE(Read<NotifyRequest>([](ttlv::Writer&) {}, kVersion2_1));
  const NotifyRequest request{.id = "k", .changed = {Deactivated()}, .removed = {}};
  EXPECT_FALSE(Read<NotifyRequest>(
      [&](ttlv::Writer& out) {
        request.Encode(out, kVersion2_1);
        out.Integer(Tag::kBatchCount, 1);
      },
      kVersion2_1));
}

class Put : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 16)); }
};

TEST_F(Put, IsReadAsWritten) {
  const SecretBytes key = MakeSymmetricKey(Bytes(32, 7), CryptographicAlgorithm::kAES).value();
  for (const ProtocolVersion version : kVersions) {
    const PutRequest request{.id = "k",
                             .function = PutFunction::kReplace,
                             .replaced = "old",
                             .object = key.Reveal(),
                             .attributes = {Deactivated()}};
    ttlv::Writer out;
    request.Encode(out, version);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto read = PutRequest::Decode(in, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->replaced, "old");
    EXPECT_TRUE(std::ranges::equal(read->object, key.Reveal()));
    EXPECT_EQ(read->attributes, request.attributes);
  }
}

TEST_F(Put, RefusesToReplaceNothingAndWhatIsNoObject) {
  const SecretBytes key = MakeSymmetricKey(Bytes(32, 7), CryptographicAlgorithm::kAES).value();
  const auto put = [&](PutFunction function, bool with_object) {
    return Read<PutRequest>(
        [&](ttlv::Writer& out) {
          out.Text(Tag::kUniqueIdentifier, "k");
          out.Enum(Tag::kPutFunction, function);
          if (with_object) out.Raw(key.Reveal());
          if (!with_object) out.Integer(Tag::kBatchCount, 1);
        },
        kVersion2_1);
  };
  EXPECT_TRUE(put(PutFunction::kNew, true));
  EXPECT_FALSE(put(PutFunction::kReplace, true));
  EXPECT_FALSE(put(PutFunction::kNew, false));
  EXPECT_FALSE(put(static_cast<PutFunction>(9), true));
}

}  // namespace
}  // namespace dare::kmip
