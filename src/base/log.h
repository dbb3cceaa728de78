#pragma once

#include <string>
#include <string_view>

// The operational log (not the audit log): one line an event, to standard error in a terminal or
// under systemd. Never key material; SecretBytes cannot be formatted. spdlog is behind it and stays
// there.
namespace dare::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// The least level that is written; default kInfo.
void SetLevel(Level level);
void Write(Level level, std::string_view message);
inline void Debug(std::string_view message) { Write(Level::kDebug, message); }
inline void Info(std::string_view message) { Write(Level::kInfo, message); }
inline void Warning(std::string_view message) { Write(Level::kWarning, message); }
inline void Failure(std::string_view message) { Write(Level::kError, message); }

}  // namespace dare::log
