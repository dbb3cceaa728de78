#include "envelope/keys_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "envelope/envelope_for_test.h"
#include "envelope/recovery_key.h"
#include "envelope/secret_json.h"

namespace dare::envelope {
namespace {

using testing::HasSubstr;

Result<Keyring> Read(const std::string& text) {
  EXPECT_TRUE(kSecureHeapStarted);
  MemorySource in(AsBytes(text));
  return ReadKeys(in);
}

std::string Refusal(const std::string& text) {
  const auto keys = Read(text);
  if (keys) return "accepted";
  EXPECT_EQ(keys.error().code, Code::kInvalidArgument) << keys.error().message;
  return keys.error().message;
}

std::string AesKey(const std::string& more = "") {
  return R"({"type": "raw-aes", "namespace": "kmip:kms.example", "name": "kek-0001", )" + more +
         R"("material_hex": ")" + std::string(64, '0') + R"("})";
}

// What the key opens tells whether it is the right one.
bool Opens(const Keyring& keyring, const EncryptedDataKey& edk) {
  for (const auto& wrapper : keyring) {
    const auto dek = wrapper->Unwrap(edk, {});
    if (dek && *dek) return true;
  }
  return false;
}

EncryptedDataKey WrappedForTest(const Keyring& keyring) {
  return keyring[0]->Wrap(Dek(SecretForTest(Bytes(32, 5))), {}).value();
}

TEST(KeysFile, ReadsAKeyBareAndAsAMemberOfAWholeFile) {
  const EncryptedDataKey edk = WrappedForTest(KekForTest(0));
  for (const std::string& text :
       {"{\"a\": " + AesKey() + "}",
        "{\"keys\": {\"a\": " + AesKey() + "}, \"cases\": [1, {}, null]}",
        "{\"cases\": [], \"other\": {\"x\": 1.5e3}, \"keys\": {\"a\": " + AesKey() + "}}",
        "{\"keys\": " + AesKey() + "}",  // a key that is called so
        " {\n\"a\"\t: " + AesKey("\"note\": \"\\u00e4\\ud83d\\ude00\\n\", \"more\": [[]], ") +
            "} "}) {
    const auto keys = Read(text);
    ASSERT_TRUE(keys) << text << keys.error().message;
    ASSERT_EQ(keys->size(), 1u) << text;
    EXPECT_TRUE(Opens(*keys, edk)) << text;
  }
}

TEST(KeysFile, DecodesEscapesInNames) {
  Keyring named{
      RawAesKeyWrapper::Create("n\"\xC3\xA4\xF0\x9F\x98\x80", "/k\n", SecretForTest(Bytes(32, 0)))
          .value()};
  const auto keys = Read(R"({"a": {"type": "raw-aes", "namespace": "n\"\u00e4\ud83d\uDE00", )"
                         R"("name": "\/k\n", "material_hex": ")" +
                         std::string(64, '0') + "\"}}");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_TRUE(Opens(*keys, WrappedForTest(named)));
}

TEST(KeysFile, NamesTheKeyThatIsUnusable) {
  EXPECT_THAT(Refusal(R"({"a": {"type": "raw-ecdh"}})"),
              HasSubstr("key \"a\" has an unknown type"));
  EXPECT_THAT(Refusal(R"({"a": {"namespace": "x"}})"), HasSubstr("key \"a\" has no type"));
  EXPECT_THAT(Refusal(R"({"a": {"type": "raw-aes", "name": "x"}})"), HasSubstr("namespace"));
  const auto material = [](const std::string& hex) {
    return Refusal(R"({"a": {"type": "raw-aes", "namespace": "n", "name": "x", "material_hex": ")" +
                   hex + "\"}}");
  };
  EXPECT_THAT(material("0g"), HasSubstr("hexadecimal"));
  EXPECT_THAT(material("000"), HasSubstr("odd"));
  EXPECT_THAT(material("00"), HasSubstr("16, 24 or 32"));
  EXPECT_THAT(material(""), HasSubstr("16, 24 or 32"));
  const auto rsa = [](const std::string& members) {
    return Refusal(R"({"a": {"type": "raw-rsa", "namespace": "n", "name": "x", )" + members + "}}");
  };
  EXPECT_THAT(rsa(R"("padding": "none")"), HasSubstr("padding"));
  EXPECT_THAT(rsa(R"("padding": "oaep", "hash": "md5")"), HasSubstr("hash"));
  EXPECT_THAT(rsa(R"("padding": "pkcs1", "private_pem": "x")"), HasSubstr("not an RSA key"));
  EXPECT_THAT(Refusal(R"({"a": {"type": "raw-aes", "type": "raw-aes"}})"),
              HasSubstr("two members"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("no keys"));
  EXPECT_THAT(Refusal(R"({"keys": {}})"), HasSubstr("no type"));
}

TEST(KeysFile, RefusesWhatIsNoJson) {
  const std::string key = AesKey();
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{"), "{\"a\": " + key,
        "{\"a\": " + key + "} x", "{\"a\": " + key + ",}", "{a: " + key + "}",
        std::string("{\"a\": tru}"), std::string("{\"a\": -}"), std::string("{\"a\": \"\\x\"}"),
        std::string("{\"a\": \"\\ud800\"}"), std::string("{\"a\": \"\\udc00\"}"),
        std::string("{\"a\": \"\n\"}"), std::string("{\"a\": \"\xff\"}"), std::string("{\"a\" 1}"),
        std::string("{\"a\": \"\\u12\"}"), "{\"a\": " + std::string(40, '[') + "}",
        "{\"a\": " + std::string(100, '1') + "}",
        "{\"a\": \"" + std::string(SecretJson::kMostString + 1, 'x') + "\"}"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("line ")) << text.substr(0, 80);
  }
}

TEST(KeysFile, TellsTheLine) { EXPECT_THAT(Refusal("{\n\n  \"a\" : x }"), HasSubstr("line 3: ")); }

// A file as long as the published cases needs no more of the secure heap than a short one.
TEST(KeysFile, ALongFileNeedsNoLongMemory) {
  std::string text = "{\"cases\": [";
  for (int i = 0; i < 100'000; ++i) text += "\"" + std::string(40, 'x') + "\", ";
  text += "0], \"keys\": {\"a\": " + AesKey() + "}}";
  ASSERT_GT(text.size(), 4u << 20);
  EXPECT_TRUE(Read(text));
}

TEST(KeysFile, ADekOfZeroesCountsOnlyAlone) {
  const EncryptedDataKey any{"who", Bytes(3), Bytes(5)};
  const auto alone = Read(R"({"z": {"type": "zero-dek", "note": "x"}})");
  ASSERT_TRUE(alone);
  EXPECT_TRUE(Opens(*alone, any));
  EXPECT_FALSE((*alone)[0]->Wrap(Dek(SecretForTest(Bytes(32))), {}));
  const auto both = Read(R"({"z": {"type": "zero-dek"}, "a": )" + AesKey() + "}");
  ASSERT_TRUE(both);
  EXPECT_FALSE(Opens(*both, any));
}

struct RsaPair {
  std::string private_pem;
  std::string public_pem;
};

RsaPair NewRsa(unsigned bits) {
  EVP_PKEY* key = EVP_RSA_gen(bits);
  RsaPair pair;
  const auto text = [](BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
  };
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  pair.private_pem = text(bio);
  bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio, key), 1);
  pair.public_pem = text(bio);
  EVP_PKEY_free(key);
  return pair;
}

std::string Escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\\n");
  }
  return text;
}

TEST(RecoveryKey, ThePrivateHalfInAKeysFileOpensWhatThePublicHalfWrapped) {
  const FolderForTest folder;
  const RsaPair pair = NewRsa(2048);
  WriteForTest(folder / "public.pem", AsBytes(pair.public_pem));
  const RecoveryKey key = ReadRecoveryKey(folder / "public.pem").value();
  EXPECT_EQ(key.name.size(), 64u);
  EXPECT_FALSE(key.wrapper->can_unwrap());
  const Dek dek(SecretForTest(Bytes(32, 9)));
  const EncryptedDataKey edk = key.wrapper->Wrap(dek, {}).value();
  EXPECT_EQ(edk.provider_id, kRecoveryNamespace);
  EXPECT_EQ(AsText(edk.provider_info), key.name);
  EXPECT_FALSE(*key.wrapper->Unwrap(edk, {})) << "the public half opens nothing";

  const auto entry = [&](const std::string& hash) {
    return R"({"safe": {"type": "raw-rsa", "namespace": "offline-recovery", "name": ")" + key.name +
           R"(", "padding": "oaep", "hash": ")" + hash + R"(", "private_pem": ")" +
           Escaped(pair.private_pem) + "\"}}";
  };
  const Keyring keys = Read(entry("sha256")).value();
  const auto opened = keys[0]->Unwrap(edk, {});
  ASSERT_TRUE(opened && *opened);
  EXPECT_TRUE(EqualInConstantTime((*opened)->Reveal(), dek.Reveal()));
  EXPECT_FALSE(Opens(Read(entry("sha1")).value(), edk));
}

TEST(RecoveryKey, RefusesPrivateKeysSmallKeysAndOtherFiles) {
  const FolderForTest folder;
  const auto refusal = [&](const std::string& content) {
    WriteForTest(folder / "key.pem", AsBytes(content));
    const auto key = ReadRecoveryKey(folder / "key.pem");
    EXPECT_FALSE(key);
    EXPECT_EQ(key.error().code, Code::kInvalidArgument);
    return key.error().message;
  };
  const RsaPair small = NewRsa(1024);
  EXPECT_THAT(refusal(small.private_pem), HasSubstr("is a private key"));
  EXPECT_THAT(refusal(small.public_pem), HasSubstr("under 2048 bits"));
  EXPECT_THAT(refusal("hello"), HasSubstr("not a public RSA key"));
  EXPECT_EQ(ReadRecoveryKey(folder / "none").error().code, Code::kIo);
}

TEST(KeysFile, NoticesFilesThatOthersMayRead) {
  const FolderForTest folder;
  WriteForTest(folder / "keys", AsBytes("{}"));
  EXPECT_TRUE(OthersMayRead(folder / "keys"));
  ASSERT_EQ(::chmod((folder / "keys").c_str(), 0600), 0);
  EXPECT_FALSE(OthersMayRead(folder / "keys"));
}

}  // namespace
}  // namespace dare::envelope
