#include "custody/custody_record.h"

#include <gtest/gtest.h>

namespace dare::custody {
namespace {

CustodyKey Key(std::uint8_t id, KeyState state) {
  CustodyKey key;
  key.id = Bytes(8, id);
  key.state = state;
  key.mechanism = 1;
  key.label = "dare-mek";
  key.check_value = {1, 2, 3};
  key.created = 1'700'000'000;
  key.holders.push_back({"hsm-a", {}, {}});
  return key;
}

CustodyRecord Example() {
  CustodyRecord record;
  record.revision = 7;
  record.mode = SealingMode::kRoot;
  record.keys = {Key(1, KeyState::kRetired), Key(2, KeyState::kCurrent)};
  record.keys[0].retired = 1'700'000'100;
  record.keys[1].kind = KeyKind::kRoot;
  record.keys[1].holders = {{"hsm-a", Bytes(8, 1), Bytes(86, 5)}, {"tpm", Bytes(8, 9), Bytes(700)}};
  record.keys[1].quorum = {Bytes(8, 4), 3, 5, 1'700'000'200};
  return record;
}

TEST(CustodyRecordTest, ComesBackAsItWas) {
  const auto back = DecodeCustodyRecord(Encode(Example()));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, Example());
  EXPECT_EQ(back->current().id, Bytes(8, 2));
  EXPECT_EQ(back->Find(Bytes(8, 1))->label, "dare-mek");
  EXPECT_EQ(back->Find(Bytes(8, 3)), nullptr);
}

TEST(CustodyRecordTest, HasTheDocumentedBytes) {
  CustodyRecord record;
  record.revision = 2;
  record.keys = {Key(0xaa, KeyState::kCurrent)};
  EXPECT_EQ(ToHex(Encode(record)),
            "01"
            "0000000000000002"
            "01"
            "01"  // version, revision, mode, keys
            "0008"
            "aaaaaaaaaaaaaaaa"
            "01"
            "01"
            "02"
            "01"  // id, kind, origin, state, mechanism
            "0008"
            "646172652d6d656b"
            "0003"
            "010203"  // label, check value
            "000000006553f100"
            "0000000000000000"  // created, retired
            "01"
            "0005"
            "68736d2d61"
            "0000"
            "0000"  // one holder
            "0000"
            "00"
            "00"
            "0000000000000000");  // no quorum
}

TEST(CustodyRecordTest, RefusesEveryShorterOrLongerText) {
  Bytes bytes = Encode(Example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeCustodyRecord(ByteView(bytes).first(size)).has_value()) << size;
  }
  bytes.push_back(0);
  EXPECT_FALSE(DecodeCustodyRecord(bytes).has_value());
}

TEST(CustodyRecordTest, RefusesWhatMakesNoSense) {
  CustodyRecord none = Example();
  none.keys[1].state = KeyState::kRetiring;
  EXPECT_FALSE(DecodeCustodyRecord(Encode(none)).has_value()) << "no current key";
  CustodyRecord two = Example();
  two.keys[0].state = KeyState::kCurrent;
  EXPECT_FALSE(DecodeCustodyRecord(Encode(two)).has_value()) << "two current keys";
  CustodyRecord same = Example();
  same.keys[0].id = same.keys[1].id;
  EXPECT_FALSE(DecodeCustodyRecord(Encode(same)).has_value()) << "one id twice";
  CustodyRecord odd = Example();
  odd.keys[0].id.pop_back();
  EXPECT_FALSE(DecodeCustodyRecord(Encode(odd)).has_value()) << "an id of 7 bytes";
  Bytes version = Encode(Example());
  version[0] = 2;
  EXPECT_FALSE(DecodeCustodyRecord(version).has_value());
}

}  // namespace
}  // namespace dare::custody
