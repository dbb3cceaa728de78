// A file of revocation lists (crypto/revocation_list.h): any bytes. What is read of a list that
// OpenSSL reads, too, is the same; and no list is believed whose authority is none.
#include <openssl/err.h>

#include <memory>

#include "base/check.h"
#include "crypto/authorities.h"
#include "crypto/revocation_list.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;

Bytes ContentOf(const ASN1_INTEGER* number) {
  unsigned char* encoded = nullptr;
  const int size = i2d_ASN1_INTEGER(number, &encoded);
  CHECK(size > 2);
  Bytes content(encoded + 2, encoded + size);
  OPENSSL_free(encoded);
  return content;
}

void Compare(const SerialNumbers& revoked, X509_CRL* crl) {
  const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl);
  const int count = entries == nullptr ? 0 : sk_X509_REVOKED_num(entries);
  CHECK(revoked.size() <= static_cast<std::size_t>(count));
  CHECK(revoked.size() != 0 || count == 0);
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
    CHECK(revoked.Contains(ContentOf(X509_REVOKED_get0_serialNumber(entry))));
  }
}

void Read(ByteView der) {
  static const Authorities nobody;
  const auto list = ReadRevocationList(der);
  if (!list) return;
  CHECK(list->says.this_update > 0 && list->says.next_update > 0);
  CHECK(list->says.revoked.size() <= kMostRevoked && !list->says.IsOlderThan(list->says));
  CHECK(!nobody.SignerOf(*list));
  const std::uint8_t* at = der.data();
  const CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (crl != nullptr) Compare(list->says.revoked, crl.get());
}

}  // namespace
}  // namespace dare::crypto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lists = dare::crypto::RevocationListsIn(dare::Bytes(data, data + size));
  if (!lists) return 0;
  for (const dare::Bytes& der : *lists) dare::crypto::Read(der);
  return 0;
}
