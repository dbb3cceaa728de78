#pragma once

namespace dare {

// Starts the secure heap and tells LeakSanitizer, where there is one, that pointers lie in it:
// OpenSSL keeps its random generators there, and what they point to would seem lost.
void ShowSecureHeapToLeakSanitizer();

}  // namespace dare
