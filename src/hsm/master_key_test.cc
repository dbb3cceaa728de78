#include "hsm/master_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <array>
#include <functional>
#include <map>

#include "hsm/softhsm_for_test.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;
using testing::Not;

class MasterKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    pool_ = SoftHsmForTest::Get().Pool();
  }

  // Makes a key as ours but for the attributes in `different`.
  void MakeKey(const std::string& label, const std::map<CK_ATTRIBUTE_TYPE, bool>& different,
               CK_ULONG bytes = 32, std::optional<CK_MECHANISM_TYPE> allowed = {}) {
    std::map<CK_ATTRIBUTE_TYPE, bool> flags{
        {CKA_TOKEN, true},    {CKA_PRIVATE, true}, {CKA_SENSITIVE, true}, {CKA_EXTRACTABLE, false},
        {CKA_ENCRYPT, true},  {CKA_DECRYPT, true}, {CKA_WRAP, false},     {CKA_UNWRAP, false},
        {CKA_SIGN, false},    {CKA_VERIFY, false}, {CKA_DERIVE, false},   {CKA_MODIFIABLE, false},
        {CKA_COPYABLE, false}};
    for (const auto& [type, value] : different) flags[type] = value;
    const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
    const CK_KEY_TYPE type = CKK_AES;
    const Bytes id(8, 9);
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Number(CKA_VALUE_LEN, bytes);
    wanted.Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
    for (const auto& [flag, value] : flags) wanted.Bool(flag, value);
    if (allowed) wanted.Number(CKA_ALLOWED_MECHANISMS, *allowed);
    CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
    CK_OBJECT_HANDLE key = 0;
    const SessionLease lease = *pool_->OpenReadWrite();
    ASSERT_EQ(lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(),
                                              wanted.size(), &key),
              CKR_OK);
  }
  void ExpectRefused(const std::string& label, const std::string& attribute) {
    SCOPED_TRACE(attribute);
    const auto key = MasterKey::Find(pool_, label);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().code, Code::kDenied);
    EXPECT_THAT(key.error().message, HasSubstr("'" + label + "'"));
    EXPECT_THAT(key.error().message, HasSubstr(attribute));
  }

  std::shared_ptr<SessionPool> pool_;
};

TEST_F(MasterKeyTest, IsFoundAgainAsItWasMade) {
  const auto made = MasterKey::Create(pool_, "fresh");
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const auto found = MasterKey::Find(pool_, "fresh");
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ((*found)->info().id, (*made)->info().id);
  EXPECT_EQ((*found)->info().id.size(), 8u);
  EXPECT_EQ((*found)->info().check_value, (*made)->info().check_value);
  EXPECT_EQ((*found)->info().check_value.size(), 3u);
  EXPECT_TRUE((*found)->info().bound);
}

TEST_F(MasterKeyTest, LooksToPkcs11ToolAsPromised) {
  if (system("command -v pkcs11-tool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "pkcs11-tool (package opensc) is not installed";
  }
  SoftHsmForTest& token = SoftHsmForTest::Get();
  token.Key("shown");
  const std::string command = "pkcs11-tool --module " + token.module_path() + " --token-label " +
                              SoftHsmForTest::kTokenLabel + " --login --pin " +
                              SoftHsmForTest::kUserPin + " -O --type secrkey 2>/dev/null";
  std::string shown;
  FILE* const pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::array<char, 4096> part;
  for (std::size_t n; (n = fread(part.data(), 1, part.size(), pipe)) > 0;) {
    shown.append(part.data(), n);
  }
  ASSERT_EQ(pclose(pipe), 0) << shown;
  EXPECT_THAT(shown, HasSubstr("AES length 32"));
  EXPECT_THAT(shown, HasSubstr("Usage:      encrypt, decrypt\n"));  // and nothing else
  EXPECT_THAT(shown, HasSubstr("sensitive, always sensitive, never extractable, local"));
  EXPECT_THAT(shown, Not(HasSubstr("VALUE")));
}

TEST_F(MasterKeyTest, IsRefusedWhenMissingOrDouble) {
  EXPECT_EQ(MasterKey::Find(pool_, "nowhere").error().code, Code::kNotFound);
  EXPECT_EQ(MasterKey::Find(pool_, "").error().code, Code::kInvalidArgument);
  MakeKey("twins", {});
  EXPECT_TRUE(MasterKey::Find(pool_, "twins").has_value());
  EXPECT_EQ(MasterKey::Create(pool_, "twins").error().code, Code::kAlreadyExists);
  MakeKey("twins", {});
  EXPECT_EQ(MasterKey::Find(pool_, "twins").error().code, Code::kConflict);
}

TEST_F(MasterKeyTest, IsRefusedWithAnyWeakerAttribute) {
  const std::pair<CK_ATTRIBUTE_TYPE, const char*> kWeaker[] = {
      {CKA_EXTRACTABLE, "CKA_EXTRACTABLE"},
      {CKA_SENSITIVE, "CKA_SENSITIVE"},
      {CKA_WRAP, "CKA_WRAP"},
      {CKA_UNWRAP, "CKA_UNWRAP"},
      {CKA_SIGN, "CKA_SIGN"},
      {CKA_VERIFY, "CKA_VERIFY"},
      {CKA_DERIVE, "CKA_DERIVE"},
      {CKA_MODIFIABLE, "CKA_MODIFIABLE"},
      {CKA_COPYABLE, "CKA_COPYABLE"},
      {CKA_PRIVATE, "CKA_PRIVATE"},
      {CKA_ENCRYPT, "CKA_ENCRYPT"},
      {CKA_DECRYPT, "CKA_DECRYPT"},
  };
  for (const auto& [type, name] : kWeaker) {
    const bool right =
        type == CKA_SENSITIVE || type == CKA_PRIVATE || type == CKA_ENCRYPT || type == CKA_DECRYPT;
    const std::string label = std::string("weak ") + name;
    MakeKey(label, {{type, !right}});
    ExpectRefused(label, std::string(name) + " is " + (right ? "false" : "true"));
  }
}

TEST_F(MasterKeyTest, IsRefusedWithAShorterKeyOrMoreMechanisms) {
  MakeKey("short", {}, 16);
  ExpectRefused("short", "CKA_VALUE_LEN is 16");
  MakeKey("counter", {}, 32, CKM_AES_CTR);
  ExpectRefused("counter", "CKA_ALLOWED_MECHANISMS");
}

// A key that came from outside may exist elsewhere too.
TEST_F(MasterKeyTest, IsRefusedWhenItWasNotMadeInTheToken) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const Bytes value(32, 5), id(8, 9);
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Data(CKA_VALUE, value);
  wanted.Data(CKA_LABEL, AsBytes("imported")).Data(CKA_ID, id).Bool(CKA_TOKEN, true);
  wanted.Bool(CKA_PRIVATE, true).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, false);
  wanted.Bool(CKA_ENCRYPT, true).Bool(CKA_DECRYPT, true);
  {
    const SessionLease lease = *pool_->OpenReadWrite();
    CK_OBJECT_HANDLE key = 0;
    ASSERT_EQ(lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(), &key),
              CKR_OK);
  }
  ExpectRefused("imported", "CKA_ALWAYS_SENSITIVE");
}

// What the token itself must refuse: reading the key, giving it more rights, copying it, using it
// in another mode.
TEST_F(MasterKeyTest, IsGuardedByTheToken) {
  const auto key = *MasterKey::Create(pool_, "guarded");
  const SessionLease lease = *pool_->OpenReadWrite();
  const CK_OBJECT_HANDLE handle = key->Handles(lease)->seal;
  const CK_FUNCTION_LIST& p11 = lease.functions();
  EXPECT_EQ(ReadBytes(lease, handle, CKA_VALUE).error().detail, CKR_ATTRIBUTE_SENSITIVE);

  Template rights;
  rights.Bool(CKA_WRAP, true);
  EXPECT_NE(p11.C_SetAttributeValue(lease.session(), handle, rights.data(), rights.size()), CKR_OK);
  CK_OBJECT_HANDLE copy = 0;
  EXPECT_NE(p11.C_CopyObject(lease.session(), handle, rights.data(), rights.size(), &copy), CKR_OK);
  std::array<std::uint8_t, 16> iv{};
  for (CK_MECHANISM mechanism :
       {CK_MECHANISM{CKM_AES_ECB, nullptr, 0}, CK_MECHANISM{CKM_AES_CBC, iv.data(), iv.size()}}) {
    EXPECT_NE(p11.C_EncryptInit(lease.session(), &mechanism, handle), CKR_OK);
  }
}

SecretBytes CeremonyKey(std::uint8_t fill) {
  const Bytes bytes(32, fill);
  return *SecretBytes::CopyOf(bytes);
}

TEST_F(MasterKeyTest, GenerationsShareALabelAndAreFoundByTheirIds) {
  const auto first = *MasterKey::Create(pool_, "ages");
  const auto second = *MasterKey::CreateNext(pool_, "ages");
  EXPECT_NE(first->info().id, second->info().id);
  EXPECT_NE(first->info().check_value, second->info().check_value);
  EXPECT_EQ((*MasterKey::Find(pool_, "ages", first->info().id))->info().check_value,
            first->info().check_value);
  EXPECT_EQ((*MasterKey::Find(pool_, "ages", second->info().id))->info().check_value,
            second->info().check_value);
  const auto unnamed = MasterKey::Find(pool_, "ages");
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(unnamed.error().code, Code::kConflict);
  EXPECT_THAT(unnamed.error().message, HasSubstr(ToHex(first->info().id)));
  EXPECT_EQ(MasterKey::FindAll(pool_, "ages")->size(), 2u);
  EXPECT_EQ(MasterKey::FindAll(pool_, "no such label")->size(), 0u);
  EXPECT_EQ(MasterKey::Find(pool_, "ages", Bytes(8, 1)).error().code, Code::kNotFound);
}

TEST_F(MasterKeyTest, IsRemovedForEverAndNoOtherWithIt) {
  const auto first = *MasterKey::Create(pool_, "passing");
  const auto second = *MasterKey::CreateNext(pool_, "passing", SealingMechanism::kAesCbcHmac);
  ASSERT_TRUE(MasterKey::Remove(*pool_, "passing", second->info().id));
  EXPECT_EQ(MasterKey::Find(pool_, "passing", second->info().id).error().code, Code::kNotFound);
  EXPECT_EQ(MasterKey::Remove(*pool_, "passing", second->info().id).error().code, Code::kNotFound);
  EXPECT_EQ(MasterKey::Remove(*pool_, "passing", {}).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(MasterKey::Find(pool_, "passing"));
}

TEST_F(MasterKeyTest, OfTwoHalvesIsBoundToItsMechanism) {
  const auto made = MasterKey::Create(pool_, "halves", SealingMechanism::kAesCbcHmac);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ((*made)->info().mechanism, SealingMechanism::kAesCbcHmac);
  EXPECT_TRUE((*made)->info().bound);
  EXPECT_EQ((*made)->info().check_value.size(), 3u);
  const SessionLease lease = *pool_->OpenReadWrite();
  const MasterKeyHandles handles = *(*made)->Handles(lease);
  CK_MECHANISM ecb{CKM_AES_ECB, nullptr, 0};
  EXPECT_NE(lease.functions().C_EncryptInit(lease.session(), &ecb, handles.seal), CKR_OK);
  CK_MECHANISM hmac{CKM_SHA256_HMAC, nullptr, 0};
  EXPECT_NE(lease.functions().C_SignInit(lease.session(), &hmac, handles.seal), CKR_OK);
}

// The half that authenticates says that the other one is not for GCM: without it there is no key.
TEST_F(MasterKeyTest, AHalfIsNoKey) {
  const auto whole = *MasterKey::Create(pool_, "cut", SealingMechanism::kAesCbcHmac);
  {
    const SessionLease lease = *pool_->OpenReadWrite();
    const MasterKeyHandles handles = *whole->Handles(lease);
    ASSERT_EQ(lease.functions().C_DestroyObject(lease.session(), handles.seal), CKR_OK);
  }
  EXPECT_EQ(MasterKey::Find(pool_, "cut").error().code, Code::kNotFound);
  EXPECT_TRUE(MasterKey::Remove(*pool_, "cut", whole->info().id)) << "what is left can be cleared";
}

// Bound to CBC by the token, the first half does not pass for a key of AES-GCM either.
TEST_F(MasterKeyTest, TheFirstHalfDoesNotPassForAKeyOfGcm) {
  const auto whole = *MasterKey::Create(pool_, "stripped", SealingMechanism::kAesCbcHmac);
  {
    const SessionLease lease = *pool_->OpenReadWrite();
    const MasterKeyHandles handles = *whole->Handles(lease);
    ASSERT_EQ(lease.functions().C_DestroyObject(lease.session(), handles.authenticate), CKR_OK);
  }
  ExpectRefused("stripped", "CKA_ALLOWED_MECHANISMS");
}

TEST_F(MasterKeyTest, FromACeremonyIsFoundOnlyByWhoeverAsksForIt) {
  const Bytes id(8, 7);
  for (const auto mechanism : {SealingMechanism::kAesGcm, SealingMechanism::kAesCbcHmac}) {
    SCOPED_TRACE(NameOf(mechanism));
    const std::string label = std::string("ceremony ") + NameOf(mechanism);
    const auto put = MasterKey::Import(pool_, label, id, CeremonyKey(9), mechanism);
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ((*put)->info().origin, KeyOrigin::kCeremony);
    EXPECT_EQ((*put)->info().id, id);
    EXPECT_EQ((*put)->info().mechanism, mechanism);
    EXPECT_TRUE((*put)->info().bound);
    EXPECT_EQ(MasterKey::Import(pool_, label, id, CeremonyKey(9), mechanism).error().code,
              Code::kAlreadyExists);
    ExpectRefused(label, "CKA_ALWAYS_SENSITIVE is false");
    const auto found = MasterKey::Find(pool_, label, id, KeyOrigins::kAlsoCeremony);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ((*found)->info().check_value, (*put)->info().check_value);
  }
}

TEST_F(MasterKeyTest, FromACeremonyGivesTheSameKeyEverywhere) {
  const Bytes id(8, 7);
  for (const auto mechanism : {SealingMechanism::kAesGcm, SealingMechanism::kAesCbcHmac}) {
    const auto one = *MasterKey::Import(pool_, "same", id, CeremonyKey(3), mechanism);
    const auto two = *MasterKey::Import(pool_, "same elsewhere", id, CeremonyKey(3), mechanism);
    const auto other = *MasterKey::Import(pool_, "not the same", id, CeremonyKey(4), mechanism);
    EXPECT_EQ(one->info().check_value, two->info().check_value);
    EXPECT_NE(one->info().check_value, other->info().check_value);
    for (const char* label : {"same", "same elsewhere", "not the same"}) {
      ASSERT_TRUE(MasterKey::Remove(*pool_, label, id));
    }
  }
}

TEST_F(MasterKeyTest, FromACeremonyMayNotBeWeakInAnotherWay) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const Bytes value(32, 5), id(8, 9);
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Data(CKA_VALUE, value);
  wanted.Data(CKA_LABEL, AsBytes("loose")).Data(CKA_ID, id).Bool(CKA_TOKEN, true);
  wanted.Bool(CKA_PRIVATE, true).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, true);
  wanted.Bool(CKA_ENCRYPT, true).Bool(CKA_DECRYPT, true);
  {
    const SessionLease lease = *pool_->OpenReadWrite();
    CK_OBJECT_HANDLE key = 0;
    ASSERT_EQ(lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(), &key),
              CKR_OK);
  }
  const auto found = MasterKey::Find(pool_, "loose", {}, KeyOrigins::kAlsoCeremony);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("CKA_EXTRACTABLE is true"));
}

TEST_F(MasterKeyTest, IsNotPutInWithAnotherLengthOrId) {
  const Bytes id(8, 7);
  EXPECT_EQ(MasterKey::Import(pool_, "odd", Bytes(7, 1), CeremonyKey(1)).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(MasterKey::Import(pool_, "odd", id, *SecretBytes::OfSize(16)).error().code,
            Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::hsm
