#include "engine/recommended_curves.h"

#include <array>
#include <string_view>

namespace dare::engine {
namespace {

using Algorithm = kmip::CryptographicAlgorithm;
using Curve = kmip::RecommendedCurve;
using crypto::KeyFamily;

struct Row {
  Curve curve;
  std::string_view name;  // as OpenSSL spells it
};
constexpr std::array kCurves = {
    Row{Curve::kP_192, "prime192v1"},
    Row{Curve::kK_163, "sect163k1"},
    Row{Curve::kB_163, "sect163r2"},
    Row{Curve::kP_224, "secp224r1"},
    Row{Curve::kK_233, "sect233k1"},
    Row{Curve::kB_233, "sect233r1"},
    Row{Curve::kP_256, "prime256v1"},
    Row{Curve::kK_283, "sect283k1"},
    Row{Curve::kB_283, "sect283r1"},
    Row{Curve::kP_384, "secp384r1"},
    Row{Curve::kK_409, "sect409k1"},
    Row{Curve::kB_409, "sect409r1"},
    Row{Curve::kP_521, "secp521r1"},
    Row{Curve::kK_571, "sect571k1"},
    Row{Curve::kB_571, "sect571r1"},
    Row{Curve::kSECP112R1, "secp112r1"},
    Row{Curve::kSECP112R2, "secp112r2"},
    Row{Curve::kSECP128R1, "secp128r1"},
    Row{Curve::kSECP128R2, "secp128r2"},
    Row{Curve::kSECP160K1, "secp160k1"},
    Row{Curve::kSECP160R1, "secp160r1"},
    Row{Curve::kSECP160R2, "secp160r2"},
    Row{Curve::kSECP192K1, "secp192k1"},
    Row{Curve::kSECP224K1, "secp224k1"},
    Row{Curve::kSECP256K1, "secp256k1"},
    Row{Curve::kSECT113R1, "sect113r1"},
    Row{Curve::kSECT113R2, "sect113r2"},
    Row{Curve::kSECT131R1, "sect131r1"},
    Row{Curve::kSECT131R2, "sect131r2"},
    Row{Curve::kSECT163R1, "sect163r1"},
    Row{Curve::kSECT193R1, "sect193r1"},
    Row{Curve::kSECT193R2, "sect193r2"},
    Row{Curve::kSECT239K1, "sect239k1"},
    Row{Curve::kANSIX9P192V2, "prime192v2"},
    Row{Curve::kANSIX9P192V3, "prime192v3"},
    Row{Curve::kANSIX9P239V1, "prime239v1"},
    Row{Curve::kANSIX9P239V2, "prime239v2"},
    Row{Curve::kANSIX9P239V3, "prime239v3"},
    Row{Curve::kANSIX9C2PNB163V1, "c2pnb163v1"},
    Row{Curve::kANSIX9C2PNB163V2, "c2pnb163v2"},
    Row{Curve::kANSIX9C2PNB163V3, "c2pnb163v3"},
    Row{Curve::kANSIX9C2PNB176V1, "c2pnb176v1"},
    Row{Curve::kANSIX9C2TNB191V1, "c2tnb191v1"},
    Row{Curve::kANSIX9C2TNB191V2, "c2tnb191v2"},
    Row{Curve::kANSIX9C2TNB191V3, "c2tnb191v3"},
    Row{Curve::kANSIX9C2PNB208W1, "c2pnb208w1"},
    Row{Curve::kANSIX9C2TNB239V1, "c2tnb239v1"},
    Row{Curve::kANSIX9C2TNB239V2, "c2tnb239v2"},
    Row{Curve::kANSIX9C2TNB239V3, "c2tnb239v3"},
    Row{Curve::kANSIX9C2PNB272W1, "c2pnb272w1"},
    Row{Curve::kANSIX9C2PNB304W1, "c2pnb304w1"},
    Row{Curve::kANSIX9C2TNB359V1, "c2tnb359v1"},
    Row{Curve::kANSIX9C2PNB368W1, "c2pnb368w1"},
    Row{Curve::kANSIX9C2TNB431R1, "c2tnb431r1"},
    Row{Curve::kBRAINPOOLP160R1, "brainpoolP160r1"},
    Row{Curve::kBRAINPOOLP160T1, "brainpoolP160t1"},
    Row{Curve::kBRAINPOOLP192R1, "brainpoolP192r1"},
    Row{Curve::kBRAINPOOLP192T1, "brainpoolP192t1"},
    Row{Curve::kBRAINPOOLP224R1, "brainpoolP224r1"},
    Row{Curve::kBRAINPOOLP224T1, "brainpoolP224t1"},
    Row{Curve::kBRAINPOOLP256R1, "brainpoolP256r1"},
    Row{Curve::kBRAINPOOLP256T1, "brainpoolP256t1"},
    Row{Curve::kBRAINPOOLP320R1, "brainpoolP320r1"},
    Row{Curve::kBRAINPOOLP320T1, "brainpoolP320t1"},
    Row{Curve::kBRAINPOOLP384R1, "brainpoolP384r1"},
    Row{Curve::kBRAINPOOLP384T1, "brainpoolP384t1"},
    Row{Curve::kBRAINPOOLP512R1, "brainpoolP512r1"},
    Row{Curve::kBRAINPOOLP512T1, "brainpoolP512t1"},
};

}  // namespace

std::optional<crypto::KeySpecification> OnCurve(Curve curve, std::optional<Algorithm> algorithm) {
  if (curve == Curve::kCURVE25519) {
    const bool ed = algorithm == Algorithm::kEd25519;
    return crypto::KeySpecification{.family = ed ? KeyFamily::kEd25519 : KeyFamily::kX25519};
  }
  if (curve == Curve::kCURVE448) {
    const bool ed = algorithm == Algorithm::kEd448;
    return crypto::KeySpecification{.family = ed ? KeyFamily::kEd448 : KeyFamily::kX448};
  }
  for (const Row& row : kCurves) {
    if (row.curve != curve) continue;
    return crypto::KeySpecification{.family = KeyFamily::kEc, .curve = std::string(row.name)};
  }
  return std::nullopt;
}

std::optional<Curve> CurveOf(const crypto::KeyFacts& key) {
  switch (key.family) {
    case KeyFamily::kEd25519:
    case KeyFamily::kX25519:
      return Curve::kCURVE25519;
    case KeyFamily::kEd448:
    case KeyFamily::kX448:
      return Curve::kCURVE448;
    default:
      break;
  }
  for (const Row& row : kCurves) {
    if (row.name == key.curve) return row.curve;
  }
  return std::nullopt;
}

std::optional<Curve> CurveOfLength(std::int32_t bits) {
  switch (bits) {
    case 192:
      return Curve::kP_192;
    case 224:
      return Curve::kP_224;
    case 256:
      return Curve::kP_256;
    case 384:
      return Curve::kP_384;
    case 521:
      return Curve::kP_521;
    default:
      return std::nullopt;
  }
}

bool GoTogether(const crypto::KeyFacts& key, Algorithm algorithm) {
  switch (key.family) {
    case KeyFamily::kRsa:
      return algorithm == Algorithm::kRSA;
    case KeyFamily::kEc:
      return algorithm == Algorithm::kEC || algorithm == Algorithm::kECDSA ||
             algorithm == Algorithm::kECDH || algorithm == Algorithm::kECMQV;
    case KeyFamily::kEd25519:
      return algorithm == Algorithm::kEd25519;
    case KeyFamily::kEd448:
      return algorithm == Algorithm::kEd448;
    case KeyFamily::kX25519:
    case KeyFamily::kX448:
      return algorithm == Algorithm::kEC || algorithm == Algorithm::kECDH;
    case KeyFamily::kDsa:
      return algorithm == Algorithm::kDSA;
    case KeyFamily::kDh:
      return algorithm == Algorithm::kDH;
  }
  return false;
}

Algorithm AlgorithmOf(const crypto::KeyFacts& key, bool has_ec) {
  switch (key.family) {
    case KeyFamily::kRsa:
      return Algorithm::kRSA;
    case KeyFamily::kEc:
      return has_ec ? Algorithm::kEC : Algorithm::kECDSA;
    case KeyFamily::kEd25519:
      return Algorithm::kEd25519;
    case KeyFamily::kEd448:
      return Algorithm::kEd448;
    case KeyFamily::kX25519:
    case KeyFamily::kX448:
      return Algorithm::kECDH;
    case KeyFamily::kDsa:
      return Algorithm::kDSA;
    case KeyFamily::kDh:
      return Algorithm::kDH;
  }
  return Algorithm::kRSA;
}

bool IsAsymmetric(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRSA:
    case Algorithm::kDSA:
    case Algorithm::kDH:
    case Algorithm::kEC:
    case Algorithm::kECDSA:
    case Algorithm::kECDH:
    case Algorithm::kECMQV:
    case Algorithm::kEd25519:
    case Algorithm::kEd448:
      return true;
    default:
      return false;
  }
}

}  // namespace dare::engine
