#pragma once

namespace dare::engine {

// Stands in a fuzz input for the Unique Identifier of a key that the engine has.
inline constexpr char kKeyForFuzz[] = "00000000-0000-4000-8000-000000000000";

}  // namespace dare::engine
