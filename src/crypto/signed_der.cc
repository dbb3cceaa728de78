#include "crypto/signed_der.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>

#include <array>
#include <string>

#include "crypto/x509.h"

namespace dare::crypto {
namespace {

// RFC 5758, section 3.2.
constexpr std::array<std::uint8_t, 12> kEcdsaSha256 = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

// RFC 4055, section 5.
constexpr std::array<std::uint8_t, 15> kRsaSha256 = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                     0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

}  // namespace

Bytes DerElement(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<std::uint8_t>(content.size()));
  } else {
    int octets = 1;
    while (content.size() >> (8 * octets) != 0) ++octets;
    out.push_back(static_cast<std::uint8_t>(0x80 | octets));
    for (int i = octets - 1; i >= 0; --i) {
      out.push_back(static_cast<std::uint8_t>(content.size() >> (8 * i)));
    }
  }
  Append(out, content);
  return out;
}

ByteView SignatureAlgorithm(bool rsa) {
  return rsa ? ByteView(kRsaSha256) : ByteView(kEcdsaSha256);
}

Result<Bytes> SignedDer(Bytes body, bool rsa, const DigestSigner& sign) {
  Bytes digest(32);
  if (EVP_Digest(body.data(), body.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    return Error(Code::kInternal, "cannot hash what is to be signed: " + TakeOpenSslError());
  }
  Bytes bits{0};  // no unused bits
  Append(bits, TRY(sign(digest)));
  Append(body, SignatureAlgorithm(rsa));
  Append(body, DerElement(V_ASN1_BIT_STRING, bits));
  return DerElement(V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED, body);
}

}  // namespace dare::crypto
