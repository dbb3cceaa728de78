#include "hsm/tpm_sealer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "crypto/digest.h"
#include "hsm/sealed_record.h"
#include "hsm/swtpm_for_test.h"
#include "hsm/tpm_outside_object.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

class TpmSealerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SwtpmForTest::Available()) GTEST_SKIP() << "swtpm is not installed";
    tpm_ = SwtpmForTest::Make();
    auto opened = TpmSealer::Open(tpm_->tcti());
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    sealer_ = *std::move(opened);
  }
  Bytes Sealed(ByteView secret) {
    const auto sealed = sealer_->Seal(aad_, secret);
    EXPECT_TRUE(sealed.has_value()) << sealed.error().message;
    return sealed.value_or(Bytes());
  }
  std::unique_ptr<TpmConnection> Connection() {
    auto connection = TpmConnection::Open(tpm_->tcti());
    EXPECT_TRUE(connection.has_value()) << connection.error().message;
    return *std::move(connection);
  }
  std::size_t Held() { return *Connection()->HeldElsewhere(); }

  const ByteView aad_ = AsBytes("root key 1");
  std::unique_ptr<SwtpmForTest> tpm_;
  std::unique_ptr<TpmSealer> sealer_;
};

TEST_F(TpmSealerTest, OpensWhatItSealed) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{32}, kMostTpmSecretBytes}) {
    SCOPED_TRACE(size);
    const Bytes secret(size, 0x42);
    const Bytes sealed = Sealed(secret);
    const auto opened = sealer_->Open(aad_, sealed);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    EXPECT_EQ(ToHex(opened->Reveal()), ToHex(secret));
  }
}

TEST_F(TpmSealerTest, WritesTheDocumentedBytes) {
  const Bytes sealed = Sealed(Bytes(32, 1));
  EXPECT_EQ(sealed[0], 1);
  EXPECT_EQ(sealed[1], 5);
  const Bytes name = Connection()->storage_root_name();
  EXPECT_EQ(name.size(), 34u);  // the hash's number and a SHA-256
  EXPECT_EQ(ToHex(ByteView(sealed).subspan(2, 8)), ToHex(ByteView(crypto::Sha256(name)).first(8)));
  EXPECT_EQ(ToHex(sealer_->info().key_id), ToHex(ByteView(sealed).subspan(2, 8)));
  EXPECT_EQ(sealer_->info().key_label, "storage root key of a TPM by IBM");
  EXPECT_NE(ToHex(sealed), ToHex(Sealed(Bytes(32, 1))));  // never twice the same
}

// What docs/formats/sealed-record.md says, with another reader than ours.
TEST_F(TpmSealerTest, PutsIntoTheObjectWhatTheFormatSays) {
  const Bytes secret(32, 0x21);
  const Bytes sealed = Sealed(secret);
  TPM2B_PUBLIC public_area{};
  TPMT_PUBLIC& area = public_area.publicArea;
  area.type = TPM2_ALG_KEYEDHASH;
  area.nameAlg = TPM2_ALG_SHA256;
  area.objectAttributes = 0x00000452;
  area.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL;
  area.unique.keyedHash.size = 32;
  std::ranges::copy(ByteView(sealed).subspan(10, 32), area.unique.keyedHash.buffer);
  TPM2B_PRIVATE private_area{.size = static_cast<UINT16>(sealed.size() - 42)};
  std::ranges::copy(ByteView(sealed).subspan(42), private_area.buffer);
  const auto tpm = Connection();
  LoadedObject object(*tpm);
  ASSERT_EQ(Esys_Load(tpm->esys(), tpm->storage_root(), *tpm->Session(0), ESYS_TR_NONE,
                      ESYS_TR_NONE, &private_area, &public_area, object.out()),
            TSS2_RC_SUCCESS);
  TPM2B_SENSITIVE_DATA* data = nullptr;
  ASSERT_EQ(Esys_Unseal(tpm->esys(), object.handle(), *tpm->Session(0), ESYS_TR_NONE, ESYS_TR_NONE,
                        &data),
            TSS2_RC_SUCCESS);
  EXPECT_EQ(ToHex(ByteView(data->buffer, data->size)),
            ToHex(crypto::Sha256(BoundTo(ByteView(sealed).first(10), aad_))) + ToHex(secret));
  Esys_Free(data);

  TPM2B_PUBLIC* root = nullptr;
  ASSERT_EQ(Esys_ReadPublic(tpm->esys(), tpm->storage_root(), ESYS_TR_NONE, ESYS_TR_NONE,
                            ESYS_TR_NONE, &root, nullptr, nullptr),
            TSS2_RC_SUCCESS);
  EXPECT_EQ(root->publicArea.objectAttributes, 0x00030472u);
  EXPECT_EQ(root->publicArea.parameters.eccDetail.curveID, TPM2_ECC_NIST_P256);
  Esys_Free(root);
}

TEST(TpmRecordTest, BindsAsInTheWorkedExample) {
  EXPECT_EQ(ToHex(crypto::Sha256(BoundTo(*FromHex("01057dc1c5b79fd98c1c"), AsBytes("example")))),
            "9b9c9dd42c4634310da757295ba80a4936296caa3295f41a06b8ed65429637f2");
}

TEST_F(TpmSealerTest, RefusesWhatItCannotSeal) {
  EXPECT_EQ(sealer_->Seal(aad_, Bytes(kMostTpmSecretBytes + 1)).error().code, Code::kTooLarge);
  EXPECT_EQ(sealer_->Seal(aad_, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer_->Seal({}, Bytes(32)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(sealer_->Open({}, Sealed(Bytes(32))).error().code, Code::kInvalidArgument);
}

TEST_F(TpmSealerTest, RefusesEveryAlteredByteAndEveryOtherLength) {
  const Bytes sealed = Sealed(Bytes(32, 7));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes bad = sealed;
    bad[i] ^= 0x01;
    const auto opened = sealer_->Open(aad_, bad);
    ASSERT_FALSE(opened.has_value()) << "byte " << i;
    const bool in_key_id = i >= 2 && i < 10;
    EXPECT_EQ(opened.error().code, in_key_id ? Code::kNotFound : Code::kDamaged)
        << "byte " << i << ": " << opened.error().message;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{9}, std::size_t{42}, std::size_t{43},
                                 sealed.size() - 1, sealed.size() + 1, std::size_t{5000}}) {
    Bytes bad = sealed;
    bad.resize(size);
    const auto opened = sealer_->Open(aad_, bad);
    ASSERT_FALSE(opened.has_value()) << size;
    EXPECT_EQ(opened.error().code, Code::kDamaged) << size << ": " << opened.error().message;
  }
  EXPECT_TRUE(sealer_->Open(aad_, sealed).has_value());
  EXPECT_EQ(Held(), 0u);
}

TEST_F(TpmSealerTest, RefusesOtherAssociatedDataAndMixedRecords) {
  const Bytes a = Sealed(Bytes(32, 1)), b = Sealed(Bytes(32, 2));
  const auto other = sealer_->Open(AsBytes("root key 2"), a);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().message, DoesNotAuthenticate().message);
  Bytes mixed = a;
  std::copy(b.begin() + 42, b.end(), mixed.begin() + 42);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(sealer_->Open(aad_, mixed).error().code, Code::kDamaged);
}

TEST_F(TpmSealerTest, KeepsItsKeyWhenThePowerWasOff) {
  const Bytes sealed = Sealed(Bytes(32, 3));
  tpm_->PowerOff();
  const auto gone = sealer_->Open(aad_, sealed);
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, Code::kUnavailable);
  EXPECT_THAT(gone.error().message, HasSubstr("cannot reach the TPM at 'swtpm:path="));
  tpm_->PowerOn();
  EXPECT_TRUE(sealer_->Open(aad_, sealed).has_value());  // without another Open
  const auto again = TpmSealer::Open(tpm_->tcti());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ((*again)->info().key_id, sealer_->info().key_id);
}

TEST_F(TpmSealerTest, RefusesTheRecordOfAnotherTpm) {
  Bytes sealed = Sealed(Bytes(32, 4));
  const auto other_tpm = SwtpmForTest::Make();
  const auto other = *TpmSealer::Open(other_tpm->tcti());
  EXPECT_NE(other->info().key_id, sealer_->info().key_id);
  EXPECT_EQ(other->Open(aad_, sealed).error().code, Code::kNotFound);
  std::ranges::copy(other->info().key_id, sealed.begin() + 2);
  EXPECT_EQ(other->Open(aad_, sealed).error().code, Code::kDamaged);
}

TEST_F(TpmSealerTest, SaysThatTheTpmWasCleared) {
  const Bytes sealed = Sealed(Bytes(32, 4));
  const auto tpm = Connection();
  ASSERT_EQ(
      Esys_Clear(tpm->esys(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE),
      TSS2_RC_SUCCESS);
  const auto opened = sealer_->Open(aad_, sealed);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("it was cleared or replaced"));
}

TEST_F(TpmSealerTest, SaysThatTheOwnerHasAPassword) {
  {
    const auto tpm = Connection();
    TPM2B_AUTH password{.size = 4, .buffer = {1, 2, 3, 4}};
    ASSERT_EQ(Esys_HierarchyChangeAuth(tpm->esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE, &password),
              TSS2_RC_SUCCESS);
  }
  const auto opened = TpmSealer::Open(tpm_->tcti());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr("tpm2_changeauth"));
}

TEST_F(TpmSealerTest, SealsOnSeveralThreads) {
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 3; ++i) {
        const Bytes secret(32, static_cast<std::uint8_t>(16 * t + i));
        const auto sealed = sealer_->Seal(aad_, secret);
        ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
        const auto opened = sealer_->Open(aad_, *sealed);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        EXPECT_EQ(ToHex(opened->Reveal()), ToHex(secret));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sealer_->seals(), 13u);  // with the probe
  EXPECT_EQ(Held(), 0u);
}

TEST_F(TpmSealerTest, RefusesWhatWasMadeOutside) {
  Bytes record = {1, 5};
  Append(record, sealer_->info().key_id);
  Bytes content = ToBytes(crypto::Sha256(BoundTo(record, aad_)));
  Append(content, Bytes(32, 0xee));
  {
    const auto tpm = Connection();
    const auto object = ImportIntoTpm(*tpm, content);
    ASSERT_TRUE(object.has_value()) << object.error().message;
    // The TPM itself finds nothing wrong with it.
    EXPECT_EQ(ToHex(*UnsealOutsideObject(*tpm, *object)), ToHex(content));
    const TPM2B_DIGEST& unique = object->public_area.publicArea.unique.keyedHash;
    Append(record, ByteView(unique.buffer, unique.size));
    Append(record, ByteView(object->private_area.buffer, object->private_area.size));
  }
  EXPECT_EQ(record.size(), Sealed(Bytes(32)).size());
  const auto opened = sealer_->Open(aad_, record);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().message, DoesNotAuthenticate().message);
}

TEST_F(TpmSealerTest, ShowsNoSecretOnTheBus) {
  const std::string capture = tpm_->folder() + "/bus";
  ASSERT_EQ(setenv("TCTI_PCAP_FILE", capture.c_str(), 1), 0);
  const Bytes secret = *FromHex("00112233445566778899aabbccddeeffa0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
  {
    const auto watched = TpmSealer::Open("pcap:" + tpm_->tcti());
    if (!watched) GTEST_SKIP() << "no tcti-pcap: " << watched.error().message;
    const Bytes sealed = *(*watched)->Seal(aad_, secret);
    ASSERT_TRUE((*watched)->Open(aad_, sealed).has_value());
    // Whatever is in the record does travel in the clear.
    const Bytes bus = *ReadFile(capture);
    const auto seen = [&](ByteView what) { return !std::ranges::search(bus, what).empty(); };
    EXPECT_TRUE(seen(ByteView(sealed).subspan(42)));
    EXPECT_FALSE(seen(ByteView(secret).first(8)));
    EXPECT_FALSE(seen(ByteView(secret).last(8)));
  }
  unsetenv("TCTI_PCAP_FILE");
}

// The byte at `i` of a secret that no other memory shows.
std::uint8_t SecretByte(std::size_t i) { return static_cast<std::uint8_t>((0x30 + i * 7) ^ 0x77); }

// How many eighths of the 32 bytes of SecretByte are somewhere in the process's writable memory.
int PartsInMemory() {
  std::ifstream maps("/proc/self/maps");
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(memory, 0);
  constexpr std::size_t kChunk = std::size_t{1} << 20, kPart = 8;
  Bytes chunk(kChunk);
  int found = 0;
  std::string line;
  while (std::getline(maps, line)) {
    std::istringstream words(line);
    std::uint64_t begin = 0, end = 0;
    char dash = 0;
    std::string rights;
    words >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with("rw")) continue;
    for (std::uint64_t at = begin; at < end; at += kChunk - kPart) {
      Wipe(chunk);
      const ssize_t got = pread(memory, chunk.data(), std::min<std::uint64_t>(kChunk, end - at),
                                static_cast<off_t>(at));
      for (ssize_t i = 0; i + static_cast<ssize_t>(kPart) <= got; ++i) {
        for (std::size_t part = 0; part < 32; part += kPart) {
          std::size_t k = 0;
          while (k < kPart && chunk[static_cast<std::size_t>(i) + k] == SecretByte(part + k)) ++k;
          if (k == kPart) ++found;
        }
      }
    }
  }
  close(memory);
  return found;
}

TEST_F(TpmSealerTest, LeavesNoSecretInOrdinaryMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "memory that was freed stays as it was under a sanitizer";
#endif
  Bytes sealed;
  {
    SecretBytes secret = *SecretBytes::OfSize(32);
    for (std::size_t i = 0; i < 32; ++i) secret.RevealMutable()[i] = SecretByte(i);
    sealed = *sealer_->Seal(aad_, secret.Reveal());
    EXPECT_EQ(PartsInMemory(), 4);  // the one in the secure heap
  }
  EXPECT_EQ(PartsInMemory(), 0);
  {
    const SecretBytes opened = *sealer_->Open(aad_, sealed);
    EXPECT_EQ(opened.size(), 32u);
    EXPECT_EQ(PartsInMemory(), 4);
  }
  EXPECT_EQ(PartsInMemory(), 0);
}

TEST(TpmSealerWithoutTpmTest, SaysWhereItLooked) {
  const auto none = TpmSealer::Open("device:/nonexistent/tpm");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Code::kUnavailable);
  EXPECT_THAT(none.error().message, HasSubstr("cannot reach the TPM at 'device:/nonexistent/tpm'"));
}

}  // namespace
}  // namespace dare::hsm
