#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace dare::settings {

// TableReader reads one table of a TOML file: every key is asked for by name, and what nobody asked
// for is unknown. The first mistake is kept, with its line; later ones do not hide it. It borrows
// the parsed file, the file's name and the place for the mistake.
class TableReader {
 public:
  TableReader(const toml::table* table, std::string prefix, const std::string& path,
              std::optional<Error>& mistake)
      : table_(table), prefix_(std::move(prefix)), path_(path), mistake_(mistake) {}

  void Text(std::string_view key, std::string& out) {
    if (const auto* value = Find<std::string>(key, "a text in quotes")) out = *value;
  }
  void Flag(std::string_view key, bool& out) {
    if (const auto* value = Find<bool>(key, "true or false")) out = *value;
  }
  template <typename T>
  void Number(std::string_view key, T& out, std::int64_t least, std::int64_t most) {
    const auto* value = Find<std::int64_t>(key, "a whole number");
    if (value == nullptr) return;
    if (*value < least || *value > most) {
      return Complain(*table_->get(key), Name(key) + " must be from " + std::to_string(least) +
                                             " to " + std::to_string(most));
    }
    out = static_cast<T>(*value);
  }
  void Names(std::string_view key, std::vector<std::string>& out) {
    const toml::node* node = Take(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return Complain(*node, Name(key) + " must be a list of texts");
    out.clear();
    for (const toml::node& item : *array) {
      if (!item.is_string()) return Complain(item, Name(key) + " must be a list of texts");
      out.push_back(*item.value<std::string>());
    }
  }
  void Choice(std::string_view key, std::string& out, std::initializer_list<const char*> choices) {
    const toml::node* node = table_ != nullptr ? table_->get(key) : nullptr;
    Text(key, out);
    std::string list;
    for (const char* choice : choices) {
      if (out == choice) return;
      list += (list.empty() ? "\"" : ", \"") + std::string(choice) + "\"";
    }
    if (node != nullptr) Complain(*node, Name(key) + " must be one of " + list);
  }
  TableReader Table(std::string_view key) {
    const toml::node* node = Take(key);
    const toml::table* table = node != nullptr ? node->as_table() : nullptr;
    if (node != nullptr && table == nullptr) Complain(*node, Name(key) + " must be a table");
    return {table, Name(key) + ".", path_, mistake_};
  }
  // The tables of a list of them, [[key]].
  std::vector<TableReader> Tables(std::string_view key) {
    std::vector<TableReader> tables;
    const toml::node* node = Take(key);
    if (node == nullptr) return tables;
    const toml::array* array = node->as_array();
    if (array == nullptr || !array->is_homogeneous<toml::table>()) {
      Complain(*node, Name(key) + " must be a list of tables, [[" + Name(key) + "]]");
      return tables;
    }
    for (const toml::node& item : *array) {
      tables.push_back({item.as_table(), Name(key) + ".", path_, mistake_});
    }
    return tables;
  }
  // The keys of the table, for one whose keys are names that an administrator gives.
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    if (table_ == nullptr) return keys;
    for (const auto& [key, node] : *table_) keys.emplace_back(key.str());
    return keys;
  }
  // After all keys were asked for.
  void RefuseOthers() {
    if (table_ == nullptr) return;
    for (const auto& [key, node] : *table_) {
      if (taken_.contains(key.str())) continue;
      Complain(node, "unknown key '" + Name(key.str()) + "'", &key.source());
    }
  }
  void Complain(const toml::node& node, const std::string& what,
                const toml::source_region* source = nullptr) {
    if (mistake_) return;
    const auto line = (source != nullptr ? *source : node.source()).begin.line;
    mistake_ = Error(Code::kInvalidArgument, path_ + ":" + std::to_string(line) + ": " + what);
  }
  // Of the table as a whole.
  void ComplainOfAll(const std::string& what) {
    if (table_ != nullptr) Complain(*table_, what);
  }
  // Where the table begins; 0 for one that is not there.
  int line() const { return table_ != nullptr ? static_cast<int>(table_->source().begin.line) : 0; }
  // Where the key stands, for checks that need more than one; null when it is not there.
  const toml::node* At(std::string_view key) const {
    return table_ != nullptr ? table_->get(key) : nullptr;
  }

 private:
  std::string Name(std::string_view key) const { return prefix_ + std::string(key); }
  const toml::node* Take(std::string_view key) {
    taken_.insert(std::string(key));
    return table_ != nullptr ? table_->get(key) : nullptr;
  }
  template <typename T>
  const T* Find(std::string_view key, const char* kind) {
    const toml::node* node = Take(key);
    if (node == nullptr) return nullptr;
    const toml::value<T>* value = node->as<T>();
    if (value == nullptr) {
      Complain(*node, Name(key) + " must be " + kind);
      return nullptr;
    }
    return &value->get();
  }

  const toml::table* table_;  // null: absent, so everything keeps its default
  const std::string prefix_;
  const std::string& path_;
  std::optional<Error>& mistake_;
  std::set<std::string, std::less<>> taken_;
};

}  // namespace dare::settings
