#pragma once

#include <string_view>

#include "kmip/attributes.h"

// Attributes of our own. In 1.x they are called "x-OpenDaRE-…" and "y-OpenDaRE-…"; in 2.x the
// letter is the Vendor Identification.
namespace dare::engine {

inline constexpr std::string_view kClientVendor = "x";  // what clients may give
inline constexpr std::string_view kServerVendor = "y";  // what the server alone sets

// How all names of ours begin.
inline constexpr std::string_view kOurAttributes = "OpenDaRE-";
// x: what a client asks for at creation, "Hardware" or "Software", where its version has no
// Protection Storage Masks. y: "Hardware" on an object whose key is in the HSM.
inline constexpr std::string_view kProtectionStorageName = "OpenDaRE-Protection-Storage";
// y: the key was used so often that it should be replaced, and why.
inline constexpr std::string_view kRotationDueName = "OpenDaRE-Rotation-Due";

kmip::AttributeReference ClientAttribute(std::string_view name);
kmip::AttributeReference ServerAttribute(std::string_view name);
// One that the server sets.
kmip::Attribute MakeServerAttribute(std::string_view name, std::string_view text);
// Takes away what only this server could have said of an object: it says it anew.
void RemoveServerAttributes(kmip::AttributeSet& attributes);

}  // namespace dare::engine
