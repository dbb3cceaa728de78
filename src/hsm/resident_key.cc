#include "hsm/resident_key.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "crypto/asymmetric_key.h"
#include "crypto/random.h"
#include "hsm/kept_key_rules.h"
#include "hsm/resident_place.h"
#include "hsm/resident_rules.h"

namespace dare::hsm {
namespace {

constexpr std::size_t kMostListed = std::size_t{1} << 16;

// The named curves that tokens are asked for: OBJECT IDENTIFIER in DER (RFC 5480, 2.1.1.1).
constexpr std::uint8_t kP256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t kP384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t kP521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

ByteView CurveParameters(const std::string& curve) {
  if (curve == "prime256v1") return kP256;
  if (curve == "secp384r1") return kP384;
  if (curve == "secp521r1") return kP521;
  return {};
}

CK_RV GenerateSecret(const SessionLease& lease, const ResidentSpecification& spec, ByteView id,
                     bool copyable_known, ObjectHandle& made) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = TypeOf(spec.kind);
  const CK_ULONG bytes = spec.bits / 8;
  const bool aes = spec.kind == ResidentKind::kAes;
  Template wanted;
  wanted.Number(CKA_CLASS, object_class)
      .Number(CKA_KEY_TYPE, type)
      .Number(CKA_VALUE_LEN, bytes)
      .Data(CKA_LABEL, AsBytes(spec.label))
      .Data(CKA_ID, id)
      .Bool(CKA_ENCRYPT, spec.rights.encrypt && aes)
      .Bool(CKA_DECRYPT, spec.rights.decrypt && aes)
      .Bool(CKA_SIGN, spec.rights.sign)
      .Bool(CKA_VERIFY, spec.rights.verify)
      .Bool(CKA_WRAP, spec.rights.wrap && aes)
      .Bool(CKA_UNWRAP, spec.rights.unwrap && aes);
  AskFor(kKeptKeyRules, copyable_known, wanted);
  CK_MECHANISM mechanism{
      static_cast<CK_MECHANISM_TYPE>(aes ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN), nullptr,
      0};
  return lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(), wanted.size(),
                                         &made);
}

// The public half is an object of the session only: it is read at once, and kept by the KMS.
CK_RV GeneratePair(const SessionLease& lease, const ResidentSpecification& spec, ByteView id,
                   bool copyable_known, ObjectHandle& open_half, ObjectHandle& made) {
  const bool rsa = spec.kind == ResidentKind::kRsa;
  const CK_ULONG bits = spec.bits;
  constexpr std::uint8_t kExponent[] = {0x01, 0x00, 0x01};
  Template open;
  open.Bool(CKA_TOKEN, false).Bool(CKA_PRIVATE, false).Bool(CKA_VERIFY, true);
  if (rsa) {
    open.Number(CKA_MODULUS_BITS, bits).Data(CKA_PUBLIC_EXPONENT, kExponent);
  } else {
    open.Data(CKA_EC_PARAMS, CurveParameters(spec.curve));
  }
  Template secret;
  secret.Data(CKA_LABEL, AsBytes(spec.label))
      .Data(CKA_ID, id)
      .Bool(CKA_SIGN, spec.rights.sign)
      .Bool(CKA_DECRYPT, spec.rights.decrypt && rsa)
      .Bool(CKA_UNWRAP, false)
      .Bool(CKA_SIGN_RECOVER, false);
  AskFor(kKeptKeyRules, copyable_known, secret);
  CK_MECHANISM mechanism{
      static_cast<CK_MECHANISM_TYPE>(rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN),
      nullptr, 0};
  return lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open.data(), open.size(),
                                             secret.data(), secret.size(), &open_half, &made);
}

// CKA_EC_POINT is an OCTET STRING around the point; some tokens leave the wrapping out
// (pkcs11-curr 2.3.3).
ByteView PointIn(ByteView value) {
  if (value.size() > 2 && value[0] == 0x04 && value[1] == value.size() - 2) return value.subspan(2);
  if (value.size() > 3 && value[0] == 0x04 && value[1] == 0x81 && value[2] == value.size() - 3) {
    return value.subspan(3);
  }
  return value;
}

Result<Bytes> PublicKeyOf(const SessionLease& lease, ObjectHandle open_half,
                          const ResidentSpecification& spec) {
  if (spec.kind == ResidentKind::kRsa) {
    crypto::RsaNumbers numbers;
    numbers.modulus = TRY(ReadBytes(lease, open_half, CKA_MODULUS));
    numbers.public_exponent = TRY(ReadBytes(lease, open_half, CKA_PUBLIC_EXPONENT));
    return TRY(crypto::PublicKey::FromRsa(numbers))
        .Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
  }
  const Bytes value = TRY(ReadBytes(lease, open_half, CKA_EC_POINT));
  crypto::EcNumbers numbers;
  numbers.curve = spec.curve;
  numbers.point = ToBytes(PointIn(value));
  return TRY(crypto::PublicKey::FromEc(numbers))
      .Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
}

Result<std::vector<ResidentEntry>> ListIn(const SessionLease& lease, const TokenInfo& token,
                                          const std::string& label_prefix) {
  std::vector<ResidentEntry> found;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true);
    for (const ObjectHandle handle : TRY(FindObjects(lease, wanted, kMostListed))) {
      // What shows no label is somebody else's.
      const Result<Bytes> label = ReadBytes(lease, handle, CKA_LABEL);
      if (!label || !AsText(*label).starts_with(label_prefix)) continue;
      found.push_back({std::string(AsText(*label)), token.label, token.serial,
                       TRY(ReadBytes(lease, handle, CKA_ID))});
    }
  }
  return found;
}

Result<ResidentReference> GenerateThere(SessionPool& pool, const ResidentSpecification& wanted,
                                        std::size_t most_keys) {
  const SessionLease lease = TRY(pool.OpenReadWrite());
  const TokenInfo token = pool.token();
  if (TRY(ListIn(lease, token, std::string(kResidentLabel))).size() >= most_keys) {
    return Error(Code::kExhausted, "the HSM '" + token.label + "' holds " +
                                       std::to_string(most_keys) +
                                       " keys already, as many as the configuration allows");
  }
  ResidentReference key{.kind = wanted.kind,
                        .bits = static_cast<std::uint32_t>(wanted.bits),
                        .token_label = token.label,
                        .token_serial = token.serial};
  key.id.resize(16);
  TRY(crypto::RandomBytes(key.id));
  if (wanted.kind == ResidentKind::kEc) {
    if (CurveParameters(wanted.curve).empty()) {
      return Error(Code::kUnsupported, "no HSM is asked for keys on this curve");
    }
    key.bits = static_cast<std::uint32_t>(crypto::CurveBits(wanted.curve));
  }
  ObjectHandle open_half = CK_INVALID_HANDLE;
  ObjectHandle made = CK_INVALID_HANDLE;
  const auto generate = [&](bool copyable_known) {
    return key.IsPair() ? GeneratePair(lease, wanted, key.id, copyable_known, open_half, made)
                        : GenerateSecret(lease, wanted, key.id, copyable_known, made);
  };
  CK_RV rv = generate(true);
  // A token that does not know PKCS#11 2.40's attributes gets the template without them.
  if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
      rv == CKR_TEMPLATE_INCONSISTENT) {
    rv = generate(false);
  }
  if (rv != CKR_OK) return Pkcs11Error("the HSM makes no such key", rv);
  const Result<void> complete = [&]() -> Result<void> {
    if (key.IsPair()) {
      key.public_key = TRY(PublicKeyOf(lease, open_half, wanted));
    } else if (Result<Bytes> check = ReadBytes(lease, made, CKA_CHECK_VALUE); check) {
      key.check = *std::move(check);
    }
    return JudgeResident(lease, made, key);
  }();
  if (!complete) {
    if (lease.functions().C_DestroyObject(lease.session(), made) != CKR_OK) {
      log::Failure("hsm: a key that is no good could not be removed: '" + wanted.label + "'");
    }
    return complete.error().In("the HSM makes no such key");
  }
  return key;
}

Result<bool> RemoveThere(SessionPool& pool, const Bytes& id) {
  const SessionLease lease = TRY(pool.OpenReadWrite());
  bool removed = false;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    for (const ObjectHandle handle : TRY(FindResident(lease, object_class, id))) {
      const CK_RV rv = lease.functions().C_DestroyObject(lease.session(), handle);
      if (rv != CKR_OK && rv != CKR_OBJECT_HANDLE_INVALID) {
        return Pkcs11Error("the HSM does not remove the key " + ToHex(id), rv);
      }
      removed = true;
    }
  }
  return removed;
}

}  // namespace

TokenResidentKeys::TokenResidentKeys(std::vector<ResidentSeat> seats, std::size_t most_keys)
    : places_([&] {
        std::vector<Place> places;
        for (ResidentSeat& seat : seats) {
          places.push_back(std::make_shared<ResidentPlace>(std::move(seat)));
        }
        return places;
      }()),
      most_keys_(most_keys) {
  for (const Place& place : places_) {
    const Result<void> opened = place->OpenAtStart();
    if (opened) continue;
    log::Warning("keys in " + place->called() +
                 " cannot be used for now: " + opened.error().message);
  }
}

TokenResidentKeys::~TokenResidentKeys() {
  for (const Place& place : places_) place->StopProbing();
}

bool TokenResidentKeys::AnyCame() const {
  return std::ranges::any_of(places_, [](const Place& place) { return place->pool() != nullptr; });
}

std::vector<TokenResidentKeys::Place> TokenResidentKeys::PlacesOf(
    const ResidentReference& key) const {
  std::vector<Place> places = places_;
  std::stable_partition(places.begin(), places.end(),
                        [&](const Place& place) { return place->IsHomeOf(key); });
  return places;
}

Result<ResidentReference> TokenResidentKeys::GenerateIn(const Place& place,
                                                        const ResidentSpecification& wanted) {
  return place->AskToMake(
      [wanted, most = most_keys_](SessionPool& pool) { return GenerateThere(pool, wanted, most); });
}

Result<ResidentReference> TokenResidentKeys::Generate(const ResidentSpecification& wanted) {
  Result<ResidentReference> made = Error(Code::kUnavailable, "there is no HSM to make keys in");
  for (const Place& place : places_) {
    made = GenerateIn(place, wanted);
    if (made) return made;
    log::Warning("hsm: " + made.error().message);
  }
  return made;
}

Result<void> TokenResidentKeys::Find(const ResidentReference& key) {
  // A handle that is known may be of a key that was removed since.
  return With(key, [](const SessionLease& lease, ObjectHandle handle) -> Result<void> {
    TRY(ReadNumber(lease, handle, CKA_KEY_TYPE));
    return {};
  });
}

Result<bool> TokenResidentKeys::RemoveFrom(const Place& place, const Bytes& id) {
  Result<bool> removed = place->Ask([id](SessionPool& pool) { return RemoveThere(pool, id); });
  place->Forget(id);
  return removed;
}

Result<void> TokenResidentKeys::Remove(const ResidentReference& key) {
  // A token that is away and never had the key does not keep it from being removed.
  bool settled = false;
  Result<void> outcome;
  for (const Place& place : PlacesOf(key)) {
    const Result<bool> removed = RemoveFrom(place, key.id);
    if (!removed && !settled) outcome = removed.error();
    settled |= removed && (place->IsHomeOf(key) || *removed);
  }
  return settled ? Result<void>() : outcome;
}

Result<void> TokenResidentKeys::Remove(const ResidentEntry& key) {
  ResidentReference where;
  where.token_label = key.token_label;
  where.token_serial = key.token_serial;
  where.id = key.id;
  return Remove(where);
}

Result<std::vector<ResidentEntry>> TokenResidentKeys::List(const std::string& label_prefix) {
  std::vector<ResidentEntry> all;
  for (const Place& place : places_) {
    if (place->pool() == nullptr) continue;  // told when it did not come
    auto here = TRY(place->Ask([label_prefix](SessionPool& pool) {
      return pool.With(
          [&](const SessionLease& lease) { return ListIn(lease, pool.token(), label_prefix); });
    }));
    std::ranges::move(here, std::back_inserter(all));
  }
  return all;
}

}  // namespace dare::hsm
