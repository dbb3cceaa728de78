#include "crypto/pkcs12.h"

#include <gtest/gtest.h>

#include <string_view>

namespace dare::crypto {
namespace {

class Pkcs12Container : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }
};

// openssl pkcs12 -export -name alias -passout pass:sesame -iter 2048, of CN=l, its issuer CN=i and
// CN=r above; the others stand in the file root first.
constexpr std::string_view kChain =
    "MIIHFwIBAzCCBs0GCSqGSIb3DQEHAaCCBr4Egga6MIIGtjCCBVIGCSqGSIb3DQEHBqCCBUMwggU/AgEAMIIFOAYJKo"
    "ZIhvcNAQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj4vw64jjNbkwICCAAwDAYIKoZIhvcNAgkFADAd"
    "BglghkgBZQMEASoEEE2lDQzYFV6PRN2S2e9oA7iAggTQm3vNgSMpQYmIBv0IKyzJytt9WrBO5ll8Yon6vfHmPhSJha"
    "Z3KwteAjYuQo7dNWlFbn4qGDBltKzSlCPiKAahdLr4UVDs78cHoTg/22zCyq654kAxIv24P4Ih03DxrMdaJKp0uvNU"
    "65EC9gf+O9nBMegznruEFBwlLNTotrapGDF2Qxeem9kfFJDfRVKdbHjoTTAM1CBRLeHUbIOOQesJ2IHq3D8XO1/JL2"
    "LKD1ny32A5RJxzm4wyDqff4h/zJLrpaZWG9wEW34CvhHpcDpHcvWt6fl8KiLEQAFNqYWd2r1ek9b2rL9Zpj6PBObKe"
    "2ZYkzc99NP1HNvZSSjSfgBSP+MVYGFMqS/boh7IV0Y96uVFfIUhguSb3UPEAHq41rGB/P9ifzm+SIwV4lphec9Ycju"
    "jcJhmFAHJQ2pqhjfZO7K/LfKTEM79aUBntIKp3021A37ONNdjUnJfp8rSpI0KbrVT0qeLx+5HjavjsrlmAPkuByoPo"
    "yfxOU9BjjAKJ+TmIJQIbEMAOSo6f2t3EQCZUJ0UzRrT1PMLAWmwluZQHavNmoac+B9VVtLTkQXeOT9Nt32SJzNHFih"
    "poRGAyb07kW6J5MRlDmxeV6FbmQt5hDlsBuhvJl1n9SDmsvduI7oLwnocak44uWd8DPmOFi2X5j13puSv1hLziqAJS"
    "tL6fafyD4bhW9UH/Rk8wj4NnvMoxmL53IeThBRcTXiUmFaOsGI8xnIS8Gu2pdngW332sMvBYYXS/b9AteWT4o1GIIH"
    "aL4pKCX3QbpsfudB7O5+koBQ0swrm3wpyCM0VKzwX4ymrWx3iXyhbK8UkDYl8ldBc6fFwmG3Jej5ahCBaCwE96zWEZ"
    "fu/FgrI+hF4jH3SXuM91gAhpbXz57ZKe09VfuI24pXmaf5xR4lBt5WmOshOnnTUVbvIIrUkDAp8prU+zYWU7VrhxTK"
    "FWryTKs+HUYN+WyJ6hAibOMQLrIhDmDo30Ar8BKaPAFdkA4n2em+xnE7YWF4+WemRvs/KKc/fFVDVsReKteAb53OMg"
    "XTLo5fwqqyBmzju2sN7LHAp1S3x9+xpv7flUil5AqzCrCYSmMnJ36jFY9idibqlVBGbyhWwhYdoiFml849b6/S2SK1"
    "ysFmmE9DivTf96TIPyncpx+iaVVgMNUoomzvc4Dl4hrfvTgyxZZBXeJyTN5q4HhhUnnNnlPbvPdoCjh0yMDHp+LdT4"
    "JZ3EFw6otuGp3bFwXUSmEfojlbO+gCXUu/DG2r/MHP5JtwAv3VHDPtnlzhxfDWvfQBwQUh+hj+WfKo61vAOa1OP0t5"
    "iCPcG+OxZacymfvRSXrIOPDXibbkwziuPG5JHu4m7dSQGIDyBU6tSnQFOHHcnbszJuOnHjapd6nKU/K9nj5MBrLZUs"
    "vOouIMUUuDyl0F5/KkzuIOCgcINkCROeZhaOFTjqbTv+MNdk7b6N+DDmYflgGzgBbmMswDOl2KN+5OCsVZ8n0wj8EL"
    "Ihutbldi0MS7GH8WUgacKiTr1WRvOhzTt69ATwJpSSkxcKBogXi+8zi6odWUgSO1XU1orZBEoo6T1ub3c5oilEzNma"
    "ascGGzD/2+ogTe/anUTLEAKkQKj6UxSU9f6SSNmRpRFHI/nOTgKHSOnibvVXaTjBenswggFcBgkqhkiG9w0BBwGggg"
    "FNBIIBSTCCAUUwggFBBgsqhkiG9w0BDAoBAqCB7zCB7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI3srp"
    "PlrEp4YCAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBAmA8rJYHZO2NXPziojtiycBIGQ7TnABbctr2cpsg"
    "7VtkQ3NOJOFzytYq/h1T1XENrNaz9tu248iKUmWFNOdSkgf84D5uY/hpptN9zfZJXVN+ZEyskd1ofSdmOc82Tqtuh1"
    "e68dcVee3WHWxnTaV0tbbfh9rznThPGXjE+MdaKUyBRhIdTiEuoEEBOWutdRdeUZA3PruFuKBirRdMYb1ABpY1jgMU"
    "AwGQYJKoZIhvcNAQkUMQweCgBhAGwAaQBhAHMwIwYJKoZIhvcNAQkVMRYEFKe4aqmjCaoJdzROhWAlLDZc8qmKMEEw"
    "MTANBglghkgBZQMEAgEFAAQgFlosM0TT0biF9BfGwwLY6LUTJvimRn6LWu7UmwDLwNsECLy6vbTIIrgPAgIIAA==";
// The same of CN=l alone, -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES.
constexpr std::string_view kOld =
    "MIIDYQIBAzCCAxcGCSqGSIb3DQEHAaCCAwgEggMEMIIDADCCAdcGCSqGSIb3DQEHBqCCAcgwggHEAgEAMIIBvQYJKo"
    "ZIhvcNAQcBMBwGCiqGSIb3DQEMAQMwDgQIza3+blkuiZQCAggAgIIBkHP9sd8Y+8Q2MIp7BngS4oouAeVH2Y4Tf4l6"
    "w5TsQtpTywF5lox0L5y5Mzo8v1eZENg7/QokWA1YgWoiVloEzzkmv9hFOOp+B4pWZ6DWeGo0tOC8RfnXZS+6XccBzi"
    "43sKAfClyEEQ1DO1LNwFr/A9KflZ+hQPQOwuGd0QsUMu2hxfbeqWTpIcTt0dgaqAmKvv74X6etrx/ekficno7ert8t"
    "D6IMTgDLVWEFvIrwbNTHTa2nvTChcwGMdMK2Je7cQiF5kWQJhyXvSszSaQPqhQ09gKh+lE2HX6UbdeaIaudvT8QRyf"
    "pdy4/m7wX6NL2pOyCq61ok6K1BdwFpbQWHHvgaRLWt4Nty7CxueVxRTYn1gEm7qwqpymceKkB9LaLXunitMEn0sRSb"
    "rYd3NNTr0u7rPeKbyC+DCayQq0ALkj9c+ujz+OIKW1PwN6lTSTpb+95RaS2U09hGG4vWrJ0vdiyD0aCvlEaJpOgYuT"
    "CeHiGA4tkQuVACxopXJlcojztZ7JIEozdlLYx2ghZHyiaOHqEwggEhBgkqhkiG9w0BBwGgggESBIIBDjCCAQowggEG"
    "BgsqhkiG9w0BDAoBAqCBtDCBsTAcBgoqhkiG9w0BDAEDMA4ECKQE+mTG/1iEAgIIAASBkG+7V9cFkiPE4oyTakyYGb"
    "QJnHV59Ag9wDWH6os5oSoY7BBir+/yyKvOspN0g2zd4yeykYIYkmLVlrNZDtNE/EjeYhnRyFCaEXZ1Jdx2WRR/uqqt"
    "lQg9fOahQMYSL5TVrNxvKy9D14Ta+3DPGs7OEtT8OqgWqPVXnaMJ97DGGt9epa5WZFkXC8JDAFYXyfvA3DFAMBkGCS"
    "qGSIb3DQEJFDEMHgoAYQBsAGkAYQBzMCMGCSqGSIb3DQEJFTEWBBSnuGqpowmqCXc0ToVgJSw2XPKpijBBMDEwDQYJ"
    "YIZIAWUDBAIBBQAEIEn9rjyOiPUzIX5o8m6CfxILE6+EP8RaXP25jJ6BRBqJBAjqUk/LqJoIxwICCAA=";

Pkcs12 SomeContents() {
  return Pkcs12{*PrivateKey::Generate(
                    {.family = KeyFamily::kEc, .bits = 0, .curve = "prime256v1", .q_bits = 0}),
                "alias",
                {}};
}

TEST_F(Pkcs12Container, OpensWithItsPasswordOnly) {
  const Pkcs12 contents = SomeContents();
  const SecretBytes der = *MakePkcs12(contents, AsBytes("correct horse"));
  const auto opened = OpenPkcs12(der.Reveal(), AsBytes("correct horse"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(Matches(opened->key, *contents.key.Public()));
  EXPECT_EQ(OpenPkcs12(der.Reveal(), AsBytes("battery staple")).error().code, Code::kDamaged);
  EXPECT_EQ(OpenPkcs12(der.Reveal(), AsBytes(std::string_view("a\0b", 3))).error().code,
            Code::kInvalidArgument);
}

TEST_F(Pkcs12Container, GivesTheChainFromTheKeysCertificateUpwards) {
  const auto opened = OpenPkcs12(*FromBase64(kChain), AsBytes("sesame"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->friendly_name, "alias");
  ASSERT_EQ(opened->certificates.size(), 3u);
  EXPECT_TRUE(Matches(opened->key, *PublicKey::OfCertificate(opened->certificates[0])));
  // CN=l by CN=i, CN=i by CN=r, CN=r by itself.
  const auto names = [&](std::size_t at, std::string_view name) {
    return AsText(opened->certificates[at]).find(name) != std::string_view::npos;
  };
  constexpr std::string_view kLeaf = "\x03\x0c\x01l";
  constexpr std::string_view kRoot = "\x03\x0c\x01r";
  EXPECT_TRUE(names(0, kLeaf) && !names(0, kRoot));
  EXPECT_TRUE(!names(1, kLeaf) && names(1, kRoot));
  EXPECT_TRUE(!names(2, kLeaf) && names(2, kRoot) && !names(2, "\x03\x0c\x01i"));
  const auto again = MakePkcs12(*opened, AsBytes("other"));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(OpenPkcs12(again->Reveal(), AsBytes("other"))->certificates, opened->certificates);
}

TEST_F(Pkcs12Container, OldProtectionNeedsTheLegacyPolicy) {
  const Bytes old = *FromBase64(kOld);
  EXPECT_EQ(OpenPkcs12(old, AsBytes("sesame")).error().code, Code::kDenied);
  EXPECT_TRUE(OpenPkcs12(old, AsBytes("sesame"), AlgorithmPolicy{true}));
}

TEST_F(Pkcs12Container, RefusesWhatIsNoContainer) {
  const SecretBytes der = *MakePkcs12(SomeContents(), AsBytes("x"));
  WipingBytes longer(der.Reveal().begin(), der.Reveal().end());
  longer.push_back(0);
  EXPECT_EQ(OpenPkcs12(longer, AsBytes("x")).error().code, Code::kMalformed);
  EXPECT_EQ(OpenPkcs12(der.Reveal().first(40), AsBytes("x")).error().code, Code::kMalformed);
  WipingBytes bent(der.Reveal().begin(), der.Reveal().end());
  bent[bent.size() / 2] ^= 1;
  EXPECT_FALSE(OpenPkcs12(bent, AsBytes("x")));
}

}  // namespace
}  // namespace dare::crypto
