#pragma once

#include <vector>

#include "client/key_directory.h"

namespace dare::cli {

// How keys are shown to people (a table, or a block of lines) and to scripts (JSON).
void PrintTable(const std::vector<client::KeyFacts>& keys);
void PrintBlock(const client::KeyFacts& key);
void PrintJson(const client::KeyFacts& key);
void PrintJson(const std::vector<client::KeyFacts>& keys);

}  // namespace dare::cli
