#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "envelope/algorithm_suite.h"

namespace dare::envelope {

// Checks the ECDSA signature at the end of signed suites: over every byte before the footer, under
// the public key in the context. Not thread-safe; fed in order.
class SignatureVerifier {
 public:
  // `public_key`: standard base64 of the compressed point. kDamaged when it is no such point.
  static Result<SignatureVerifier> Create(FooterSignature algorithm, const std::string& public_key);
  SignatureVerifier(SignatureVerifier&&) noexcept;
  SignatureVerifier& operator=(SignatureVerifier&&) noexcept;
  ~SignatureVerifier();

  Result<void> Update(ByteView bytes);
  // `signature` is a DER ECDSA-Sig-Value. kDamaged when it does not fit.
  Result<void> Verify(ByteView signature);

 private:
  struct State;
  explicit SignatureVerifier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Makes the footer of a message of suite 0x0578: ECDSA on P-384 with SHA-384 over every byte before
// it, under a key pair that is made for this message and forgotten with this object. Not
// thread-safe; fed in order.
class SignatureMaker {
 public:
  static Result<SignatureMaker> Create();
  SignatureMaker(SignatureMaker&&) noexcept;
  SignatureMaker& operator=(SignatureMaker&&) noexcept;
  ~SignatureMaker();

  // Standard base64 of the compressed point, for the context.
  const std::string& public_key() const;
  Result<void> Update(ByteView bytes);
  // The footer: u16 length, signature. Nothing more can be signed then.
  Result<Bytes> Footer();

 private:
  struct State;
  explicit SignatureMaker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace dare::envelope
