#pragma once

#include <span>
#include <string_view>

#include "hsm/module.h"

namespace dare::hsm {

// What a token does that PKCS#11 does not say, or says otherwise.
enum class Quirk {
  kGeneralErrorForWrongTag,
  kWantsRoomForTag,
  kCrashesWithoutAssociatedData,
  kListsWhatItRefuses,
  kWrapsUnextractableKeys,
  kWantsInitArguments,
  kKnowsNoLateAttributes,
  kPinsMustBeChanged,
  kGeneralErrorForUnknownAttribute,
  kShowsNoLengthOfImportedKeys,
  kForgetsWhereKeysWereMade,
  kKeepsOneKeyForAnId,
};

// A row of the table: which tokens, what they do, and what this program does about it. A text that
// is empty matches everything; the others match the beginning of what the token says of itself.
struct QuirkRow {
  Quirk quirk;
  std::string_view manufacturer;
  std::string_view model;
  std::string_view firmware;  // "2.6"
  std::string_view what;
  std::string_view answer;
};

// The one table of them. No row lets a weaker key pass: where a token does not show what a key is,
// what it does show must prove the same (docs/decisions/any-token.md).
std::span<const QuirkRow> QuirkTable();
bool Matches(const QuirkRow& row, const TokenInfo& token);
bool HasQuirk(const TokenInfo& token, Quirk quirk);

}  // namespace dare::hsm
