#include "server/pki_for_test.h"

#include <openssl/ec.h>

#include <cstdlib>
#include <filesystem>

#include "base/check.h"
#include "base/file.h"
#include "base/secret_bytes.h"
#include "crypto/x509_handles.h"

namespace dare::server {

struct PkiForTest::Key {
  crypto::PkeyPtr key;
};

namespace {

crypto::PkeyPtr ReadKey(ByteView pem) {
  const crypto::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  crypto::PkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  CHECK(key != nullptr);
  return key;
}

Bytes PublicDer(EVP_PKEY* key) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key, &encoded);
  CHECK(size > 0);
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

Result<Bytes> SignDigest(EVP_PKEY* key, ByteView digest) {
  const crypto::PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t size = 256;
  Bytes signature(size);
  CHECK(EVP_PKEY_sign_init(context.get()) == 1 &&
        EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) == 1);
  signature.resize(size);
  return signature;
}

}  // namespace

PkiForTest::PkiForTest(const Clock& clock, const std::string& name)
    : key_(std::make_unique<Key>()) {
  CHECK(StartSecureHeap(1u << 20).has_value());
  std::string pattern = std::filesystem::temp_directory_path() / "dare-pki-XXXXXX";
  CHECK(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  key_->key.reset(EVP_EC_gen("P-256"));
  sign_ = [key = key_->key.get()](ByteView digest) { return SignDigest(key, digest); };
  auto root = CertificateAuthority::MakeRoot(name, PublicDer(key_->key.get()), 3650, sign_, clock);
  CHECK(root.has_value());
  ca_file_ = folder_ + "/ca.pem";
  CHECK(WriteFileDurably(ca_file_, AsBytes(ToPem(*root)), 0644).has_value());
  auto authority = CertificateAuthority::Open(std::move(*root), sign_, clock);
  CHECK(authority.has_value());
  authority_ = std::make_unique<CertificateAuthority>(std::move(*authority));
}

PkiForTest::~PkiForTest() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

PkiForTest::Identity PkiForTest::Keep(Certificate certificate, ByteView private_pem) {
  Identity identity;
  const std::string base = folder_ + "/" + std::to_string(kept_++);
  identity.certificate_file = base + ".pem";
  identity.key_file = base + ".key";
  CHECK(WriteFileDurably(identity.certificate_file, AsBytes(ToPem(certificate)), 0644).has_value());
  CHECK(WriteFileDurably(identity.key_file, private_pem, 0600).has_value());
  identity.certificate = std::move(certificate);
  return identity;
}

PkiForTest::Identity PkiForTest::Client(const std::string& name,
                                        const std::vector<std::string>& units, std::int64_t days) {
  auto key = MakeP256Key();
  CHECK(key.has_value());
  auto request = SigningRequest::Parse(MakeRequestForTest(key->private_pem.Reveal(), "ignored"));
  CHECK(request.has_value());
  auto certificate = authority_->IssueClient({name, units}, *request, days);
  CHECK(certificate.has_value());
  return Keep(std::move(*certificate), key->private_pem.Reveal());
}

PkiForTest::Identity PkiForTest::Server() {
  auto key = MakeP256Key();
  CHECK(key.has_value());
  auto certificate = authority_->IssueServer({"localhost", "127.0.0.1"}, key->public_der, 30);
  CHECK(certificate.has_value());
  return Keep(std::move(*certificate), key->private_pem.Reveal());
}

Bytes MakeRequestForTest(ByteView private_pem, const std::string& name) {
  const crypto::PkeyPtr key = ReadKey(private_pem);
  const crypto::X509ReqPtr request(X509_REQ_new());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  CHECK(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.data()),
                                   static_cast<int>(name.size()), -1, 0) == 1);
  CHECK(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  CHECK(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0);
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_REQ(request.get(), &encoded);
  CHECK(size > 0);
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

}  // namespace dare::server
