#include "crypto/revocation_list.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "crypto/der_reader.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

constexpr std::uint8_t kSequence = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
constexpr std::uint8_t kExtensions = 0xa0;  // [0] EXPLICIT
constexpr std::size_t kLongestNumber = 20;  // RFC 5280, 5.2.3

// The last byte of the extensions below id-ce (2.5.29) that matter here.
enum : std::uint8_t {
  kCrlNumber = 20,
  kReasonCode = 21,
  kDeltaCrlIndicator = 27,
  kIssuingDistributionPoint = 28,
  kCertificateIssuer = 29,
  kAuthorityKeyIdentifier = 35,
};

Error Malformed(const char* what) { return Error(Code::kMalformed, what); }
Error Unsupported(const char* what) { return Error(Code::kUnsupported, what); }

struct ExtensionView {
  std::uint8_t id = 0;  // below id-ce; 0: another one
  bool critical = false;
  ByteView value;
};

Result<ExtensionView> ReadExtension(DerReader& in) {
  ExtensionView read;
  const DerView whole = TRY(in.Next(kSequence));
  DerReader fields(whole.content);
  const DerView oid = TRY(fields.Next(V_ASN1_OBJECT));
  if (oid.content.size() == 3 && oid.content[0] == 0x55 && oid.content[1] == 0x1d) {
    read.id = oid.content[2];
  }
  if (fields.At(V_ASN1_BOOLEAN)) {
    const DerView critical = TRY(fields.Next());
    if (critical.content.size() != 1) return Malformed("an extension that cannot be read");
    read.critical = critical.content[0] != 0;
  }
  read.value = TRY(fields.Next(V_ASN1_OCTET_STRING)).content;
  TRY(fields.End());
  return read;
}

bool IsTime(std::uint8_t tag) { return tag == V_ASN1_UTCTIME || tag == V_ASN1_GENERALIZEDTIME; }

Result<std::int64_t> ReadTime(DerReader& in) {
  const DerView time = TRY(in.Next());
  const std::uint8_t* at = time.whole.data();
  const TimePtr read(IsTime(time.tag)
                         ? d2i_ASN1_TIME(nullptr, &at, static_cast<long>(time.whole.size()))
                         : nullptr);
  const std::int64_t seconds = read == nullptr ? 0 : ToUnixTime(read.get());
  if (seconds > 0) return seconds;
  TakeOpenSslError();
  return Malformed("a time that cannot be read");
}

Result<std::string> ReadIssuer(ByteView der) {
  const std::uint8_t* at = der.data();
  const NamePtr name(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
  if (name == nullptr || X509_NAME_entry_count(name.get()) == 0) {
    TakeOpenSslError();
    return Malformed("a list without a name of who issued it");
  }
  return NameText(name.get());
}

Result<Bytes> ReadNumber(ByteView value) {
  DerReader in(value);
  ByteView number = TRY(in.Next(V_ASN1_INTEGER)).content;
  TRY(in.End());
  if (number.empty() || number.size() > kLongestNumber + 1 || (number[0] & 0x80) != 0) {
    return Malformed("a CRL number that is none");
  }
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  return ToBytes(number);
}

//= rfc5280 5.3
//# If a CRL contains a critical CRL entry extension that the application cannot process, then the
//# application MUST NOT use that CRL to determine the status of any certificates.
Result<void> ReadEntryExtensions(ByteView extensions) {
  DerReader in(extensions);
  while (!in.empty()) {
    const ExtensionView extension = TRY(ReadExtension(in));
    if (extension.id == kCertificateIssuer) {
      return Unsupported("an indirect list: it names certificates of other authorities");
    }
    if (extension.critical && extension.id != kReasonCode) {
      return Unsupported("an entry has a critical extension that is not known here");
    }
  }
  return {};
}

Result<void> ReadEntries(ByteView entries, bool version_2, SerialNumbers& revoked) {
  DerReader in(entries);
  while (!in.empty()) {
    const DerView entry = TRY(in.Next(kSequence));
    DerReader fields(entry.content);
    const DerView serial = TRY(fields.Next(V_ASN1_INTEGER));
    const DerView when = TRY(fields.Next());
    if (!IsTime(when.tag)) return Malformed("an entry without its time");
    if (version_2 && fields.At(kSequence)) {
      const DerView extensions = TRY(fields.Next());
      TRY(ReadEntryExtensions(extensions.content));
    }
    TRY(fields.End());
    if (revoked.size() == kMostRevoked) {
      return Error(Code::kTooLarge,
                   "it has more than " + std::to_string(kMostRevoked) + " entries");
    }
    if (!revoked.Add(serial.content)) {
      return Error(Code::kTooLarge, "an entry has a serial number of more than " +
                                        std::to_string(SerialNumbers::kLongest) + " bytes");
    }
  }
  revoked.Sort();
  return {};
}

//= rfc5280 5.2
//# If a CRL contains a critical extension that the application cannot process, then the application
//# MUST NOT use that CRL to determine the status of certificates.
Result<void> ReadExtensions(ByteView extensions, RevocationList& says) {
  DerReader outer(extensions);
  const DerView list = TRY(outer.Next(kSequence));
  TRY(outer.End());
  DerReader in(list.content);
  while (!in.empty()) {
    const ExtensionView extension = TRY(ReadExtension(in));
    switch (extension.id) {
      case kCrlNumber:
        if (!says.number.empty()) return Malformed("two CRL numbers");
        says.number = TRY(ReadNumber(extension.value));
        break;
      case kDeltaCrlIndicator:
        return Unsupported("a delta list: only complete lists are read");
      case kIssuingDistributionPoint:
        return Unsupported(
            "it has an issuing distribution point: only lists of all of an authority's own "
            "certificates are read");
      case kAuthorityKeyIdentifier:  // who signed it is found out by the signature
        break;
      default:
        if (extension.critical) return Unsupported("a critical extension that is not known here");
    }
  }
  return {};
}

// What stands behind the issuer in the body.
Result<void> ReadBody(DerReader& in, bool version_2, RevocationList& says) {
  says.this_update = TRY(ReadTime(in));
  //= rfc5280 5.1.2.5
  //# Conforming CRL issuers MUST include the nextUpdate field in all CRLs.
  if (!in.At(V_ASN1_UTCTIME) && !in.At(V_ASN1_GENERALIZEDTIME)) {
    return Unsupported("it does not say when the next one comes (nextUpdate)");
  }
  says.next_update = TRY(ReadTime(in));
  if (in.At(kSequence)) {
    const DerView entries = TRY(in.Next());
    TRY(ReadEntries(entries.content, version_2, says.revoked));
  }
  if (version_2 && in.At(kExtensions)) {
    const DerView extensions = TRY(in.Next());
    TRY(ReadExtensions(extensions.content, says));
  }
  return in.End();
}

// Frees what PEM_read_bio gives.
using TextPtr = std::unique_ptr<char, decltype([](char* text) { OPENSSL_free(text); })>;
using DataPtr =
    std::unique_ptr<unsigned char, decltype([](unsigned char* data) { OPENSSL_free(data); })>;

}  // namespace

std::optional<SerialNumbers::Number> SerialNumbers::NumberOf(ByteView serial) {
  if (serial.empty() || serial.size() > kLongest) return std::nullopt;
  Number number{};
  number[0] = static_cast<std::uint8_t>(serial.size());
  std::ranges::copy(serial, number.begin() + 1);
  return number;
}

bool SerialNumbers::Add(ByteView serial) {
  const auto number = NumberOf(serial);
  if (number) numbers_.push_back(*number);
  return number.has_value();
}

void SerialNumbers::Sort() {
  std::ranges::sort(numbers_);
  numbers_.erase(std::unique(numbers_.begin(), numbers_.end()), numbers_.end());
  numbers_.shrink_to_fit();
}

bool SerialNumbers::Contains(ByteView serial) const {
  const auto number = NumberOf(serial);
  return number && std::ranges::binary_search(numbers_, *number);
}

bool RevocationList::IsOlderThan(const RevocationList& other) const {
  if (this_update < other.this_update) return true;
  if (number.empty() || other.number.empty()) return false;
  return std::tuple(number.size(), number) < std::tuple(other.number.size(), other.number);
}

Result<UnverifiedRevocationList> ReadRevocationList(ByteView der) {
  if (der.size() > kMostListBytes) {
    return Error(Code::kTooLarge,
                 "a list of more than " + std::to_string(kMostListBytes) + " bytes");
  }
  UnverifiedRevocationList read;
  DerReader file(der);
  const DerView whole = TRY(file.Next(kSequence));
  TRY(file.End());
  DerReader list(whole.content);
  const DerView body = TRY(list.Next(kSequence));
  read.body = body.whole;
  read.algorithm = TRY(list.Next(kSequence)).whole;
  const DerView signature = TRY(list.Next(V_ASN1_BIT_STRING));
  TRY(list.End());
  if (signature.content.empty() || signature.content[0] != 0) {
    return Malformed("a signature that cannot be read");
  }
  read.signature = signature.content.subspan(1);

  DerReader in(body.content);
  const bool version_2 = in.At(V_ASN1_INTEGER);
  if (version_2) {
    const DerView version = TRY(in.Next());
    if (version.content.size() != 1 || version.content[0] != 1) {
      return Malformed("not a revocation list");
    }
  }
  const DerView algorithm = TRY(in.Next(kSequence));
  if (!std::ranges::equal(algorithm.whole, read.algorithm)) {
    return Malformed("two signature algorithms");
  }
  read.issuer = TRY(in.Next(kSequence)).whole;
  read.says.issuer = TRY(ReadIssuer(read.issuer));
  const Result<void> rest = ReadBody(in, version_2, read.says);
  if (!rest) return rest.error().In("the list of '" + read.says.issuer + "'");
  return read;
}

Result<std::vector<Bytes>> RevocationListsIn(Bytes file) {
  std::vector<Bytes> lists;
  if (!file.empty() && file[0] == kSequence) {
    lists.push_back(std::move(file));
    return lists;
  }
  const BioPtr bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  while (true) {
    char *name = nullptr, *header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) break;
    const TextPtr own_name(name), own_header(header);
    const DataPtr own_data(data);
    if (std::string_view(name) != PEM_STRING_X509_CRL || *header != '\0') {
      return Malformed("something else than revocation lists is in it");
    }
    if (lists.size() == kMostListsInFile) {
      return Error(Code::kTooLarge,
                   "more than " + std::to_string(kMostListsInFile) + " lists are in it");
    }
    lists.emplace_back(data, data + size);
  }
  const unsigned long error = ERR_peek_last_error();
  TakeOpenSslError();
  if (lists.empty() || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return Malformed("neither a revocation list in DER nor whole ones in PEM");
  }
  return lists;
}

}  // namespace dare::crypto
