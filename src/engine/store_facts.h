#pragma once

// Facts of the store whose keys more than one file must know.
namespace dare::engine {

inline constexpr char kRecordKeyFact[] = "record-key";  // sealed by the HSM (vault.h)

}  // namespace dare::engine
