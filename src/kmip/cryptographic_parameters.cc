#include "kmip/cryptographic_parameters.h"

#include "kmip/tags.h"

namespace dare::kmip {

CryptographicParameters CryptographicParameters::Over(
    const CryptographicParameters& defaults) const {
  CryptographicParameters merged = *this;
  const auto fill = [](auto& field, const auto& value) {
    if (!field) field = value;
  };
  fill(merged.block_cipher_mode, defaults.block_cipher_mode);
  fill(merged.padding_method, defaults.padding_method);
  fill(merged.hashing_algorithm, defaults.hashing_algorithm);
  fill(merged.key_role_type, defaults.key_role_type);
  fill(merged.digital_signature_algorithm, defaults.digital_signature_algorithm);
  fill(merged.cryptographic_algorithm, defaults.cryptographic_algorithm);
  fill(merged.random_iv, defaults.random_iv);
  fill(merged.iv_length, defaults.iv_length);
  fill(merged.tag_length, defaults.tag_length);
  fill(merged.fixed_field_length, defaults.fixed_field_length);
  fill(merged.invocation_field_length, defaults.invocation_field_length);
  fill(merged.counter_length, defaults.counter_length);
  fill(merged.initial_counter_value, defaults.initial_counter_value);
  fill(merged.salt_length, defaults.salt_length);
  fill(merged.mask_generator, defaults.mask_generator);
  fill(merged.mask_generator_hashing_algorithm, defaults.mask_generator_hashing_algorithm);
  fill(merged.p_source, defaults.p_source);
  fill(merged.trailer_field, defaults.trailer_field);
  return merged;
}

Result<CryptographicParameters> ReadCryptographicParameters(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kCryptographicParameters));
  CryptographicParameters p;
  p.block_cipher_mode = TRY(members.OptionalEnum<BlockCipherMode>(Tag::kBlockCipherMode));
  p.padding_method = TRY(members.OptionalEnum<PaddingMethod>(Tag::kPaddingMethod));
  p.hashing_algorithm = TRY(members.OptionalEnum<HashingAlgorithm>(Tag::kHashingAlgorithm));
  p.key_role_type = TRY(members.OptionalEnum<KeyRoleType>(Tag::kKeyRoleType));
  p.digital_signature_algorithm =
      TRY(members.OptionalEnum<DigitalSignatureAlgorithm>(Tag::kDigitalSignatureAlgorithm));
  p.cryptographic_algorithm =
      TRY(members.OptionalEnum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm));
  p.random_iv = TRY(members.OptionalBoolean(Tag::kRandomIV));
  p.iv_length = TRY(members.OptionalInteger(Tag::kIVLength));
  p.tag_length = TRY(members.OptionalInteger(Tag::kTagLength));
  p.fixed_field_length = TRY(members.OptionalInteger(Tag::kFixedFieldLength));
  p.invocation_field_length = TRY(members.OptionalInteger(Tag::kInvocationFieldLength));
  p.counter_length = TRY(members.OptionalInteger(Tag::kCounterLength));
  p.initial_counter_value = TRY(members.OptionalInteger(Tag::kInitialCounterValue));
  p.salt_length = TRY(members.OptionalInteger(Tag::kSaltLength));
  p.mask_generator = TRY(members.OptionalEnum<MaskGenerator>(Tag::kMaskGenerator));
  p.mask_generator_hashing_algorithm =
      TRY(members.OptionalEnum<HashingAlgorithm>(Tag::kMaskGeneratorHashingAlgorithm));
  if (const auto source = TRY(members.OptionalByteString(Tag::kPSource)))
    p.p_source = ToBytes(*source);
  p.trailer_field = TRY(members.OptionalInteger(Tag::kTrailerField));
  TRY(members.End());
  return p;
}

Result<std::optional<CryptographicParameters>> ReadOptionalCryptographicParameters(
    ttlv::Reader& in) {
  if (!in.At(Tag::kCryptographicParameters)) return std::optional<CryptographicParameters>();
  return std::optional<CryptographicParameters>(TRY(ReadCryptographicParameters(in)));
}

void WriteCryptographicParameters(ttlv::Writer& out, const CryptographicParameters& p) {
  const auto enumeration = [&](Tag tag, const auto& field) {
    if (field) out.Enum(tag, *field);
  };
  const auto integer = [&](Tag tag, const std::optional<std::int32_t>& field) {
    if (field) out.Integer(tag, *field);
  };
  out.Structure(Tag::kCryptographicParameters, [&] {
    enumeration(Tag::kBlockCipherMode, p.block_cipher_mode);
    enumeration(Tag::kPaddingMethod, p.padding_method);
    enumeration(Tag::kHashingAlgorithm, p.hashing_algorithm);
    enumeration(Tag::kKeyRoleType, p.key_role_type);
    enumeration(Tag::kDigitalSignatureAlgorithm, p.digital_signature_algorithm);
    enumeration(Tag::kCryptographicAlgorithm, p.cryptographic_algorithm);
    if (p.random_iv) out.Boolean(Tag::kRandomIV, *p.random_iv);
    integer(Tag::kIVLength, p.iv_length);
    integer(Tag::kTagLength, p.tag_length);
    integer(Tag::kFixedFieldLength, p.fixed_field_length);
    integer(Tag::kInvocationFieldLength, p.invocation_field_length);
    integer(Tag::kCounterLength, p.counter_length);
    integer(Tag::kInitialCounterValue, p.initial_counter_value);
    integer(Tag::kSaltLength, p.salt_length);
    enumeration(Tag::kMaskGenerator, p.mask_generator);
    enumeration(Tag::kMaskGeneratorHashingAlgorithm, p.mask_generator_hashing_algorithm);
    if (p.p_source) out.ByteString(Tag::kPSource, *p.p_source);
    integer(Tag::kTrailerField, p.trailer_field);
  });
}

}  // namespace dare::kmip
