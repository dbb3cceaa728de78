#include "hsm/token_quirks.h"

#include <algorithm>

namespace dare::hsm {
namespace {

constexpr std::string_view kSoftHsm = "SoftHSM project";
constexpr std::string_view kNss = "Mozilla Foundation";
constexpr std::string_view kIbm = "IBM";
constexpr std::string_view kSoftTok = "IBM SoftTok";

// Seen with SoftHSM2 2.6.1, NSS 3.87 and openCryptoki 3.8.1 of Debian 12.
constexpr QuirkRow kTable[] = {
    {Quirk::kGeneralErrorForWrongTag, kSoftHsm, "SoftHSM v2", "",
     "answers CKR_GENERAL_ERROR to a wrong AES-GCM tag, as it would for a broken store",
     "a record that is known to be good is opened before the other one is called damaged"},
    {Quirk::kWantsRoomForTag, kSoftHsm, "SoftHSM v2", "",
     "wants room for the tag when it decrypts AES-GCM, and fails with CKR_BUFFER_TOO_SMALL",
     "every token gets a buffer as long as its input: that harms nobody"},
    {Quirk::kCrashesWithoutAssociatedData, kSoftHsm, "SoftHSM v2", "2.6",
     "crashes in AES-GCM without associated data",
     "no token is ever called without: the head of the record is part of it"},
    {Quirk::kListsWhatItRefuses, kSoftHsm, "SoftHSM v2", "",
     "lists AES-CBC-PAD and AES-GCM for wrapping, and refuses to wrap by them",
     "no flag of a mechanism is believed of any token: what it can do is tried"},
    {Quirk::kWrapsUnextractableKeys, kNss, "NSS 3", "",
     "wraps keys whose CKA_EXTRACTABLE is false: whoever has its password can take the master "
     "key out",
     "it is told, by `dare-kms hsm check` and at the making of a key; such a token is a file with "
     "a password"},
    {Quirk::kWantsInitArguments, kNss, "NSS 3", "",
     "must be told in C_Initialize where its token is, in a structure that is a pointer longer "
     "than that of PKCS#11",
     "init_args in kms.toml; every module gets the longer structure, its end null"},
    {Quirk::kKnowsNoLateAttributes, kIbm, kSoftTok, "",
     "is of PKCS#11 2.20 and knows neither CKA_ALLOWED_MECHANISMS nor CKA_COPYABLE",
     "keys are made without the attributes that a token refuses; the token then does not bind a "
     "key to its mechanism, and only its rights do"},
    {Quirk::kGeneralErrorForUnknownAttribute, kNss, "NSS 3", "",
     "answers CKR_GENERAL_ERROR to an attribute that its database does not keep",
     "the template is tried again without the attributes that came late to PKCS#11"},
    {Quirk::kForgetsWhereKeysWereMade, kNss, "NSS 3", "",
     "shows CKA_LOCAL false of every key in its database, those that it made too",
     "CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE decide, which it sets for keys that it made "
     "and for no others"},
    {Quirk::kKeepsOneKeyForAnId, kNss, "NSS 3", "",
     "keeps one secret key for each CKA_ID: another one silently takes its place",
     "the halves of a master key have different CKA_IDs everywhere; what a token was given is "
     "looked for in it"},
    {Quirk::kShowsNoLengthOfImportedKeys, kIbm, kSoftTok, "",
     "shows no CKA_VALUE_LEN of a key that was put in, and refuses to be told",
     "the length of a ceremony's key is checked when it is put in; that of a key made in the token "
     "must be shown"},
    {Quirk::kPinsMustBeChanged, kIbm, kSoftTok, "",
     "answers CKR_PIN_EXPIRED until both PINs were changed from what they were set to",
     "its own pkcsconf -I, -P, -u and -p make it ready, before `dare-kms init`"},
};

bool Begins(std::string_view text, std::string_view with) { return text.starts_with(with); }

}  // namespace

std::span<const QuirkRow> QuirkTable() { return kTable; }

bool Matches(const QuirkRow& row, const TokenInfo& token) {
  return Begins(token.manufacturer, row.manufacturer) && Begins(token.model, row.model) &&
         Begins(token.firmware, row.firmware);
}

bool HasQuirk(const TokenInfo& token, Quirk quirk) {
  return std::ranges::any_of(
      kTable, [&](const QuirkRow& row) { return row.quirk == quirk && Matches(row, token); });
}

}  // namespace dare::hsm
