#pragma once

#include <string>

#include "envelope/envelope_for_test.h"
#include "secrets/secret_message.h"

// What the tests of this folder share.
namespace dare::secrets {

using envelope::KekForTest;
using envelope::SecretForTest;

inline std::string TextForTest(const SecretBytes& secret) {
  return std::string(AsText(secret.Reveal()));
}

inline SecretFacts FactsForTest(const std::string& name) {
  return {.name = name, .form = SecretForm::kText, .made = 1'700'000'000, .keys = {}};
}

}  // namespace dare::secrets
