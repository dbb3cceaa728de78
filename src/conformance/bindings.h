#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "conformance/key_facts.h"
#include "conformance/tree.h"

namespace dare::conformance {

// A reason to look at quirks.csv: the judge met a slip it knows how to deal with.
enum class Slip : std::uint8_t {
  kOtherVersionPrinted,    // an answer is printed with another protocol version than its request
  kLiteralInPlaceOfName,   // a request uses a placeholder whose answer printed a literal
  kLiteralOfGeneratedKey,  // a literal output although the server made the key
  kNameOfAnotherCase,      // a placeholder that an earlier case of the family bound
  kNameOfTheTester,        // a value that the tester makes up
};

// Bindings are what a running case has learned: the values of placeholders, the last value of each
// field, the facts of keys, and what requests have fixed. A value type: copying is the snapshot.
class Bindings {
 public:
  // `now` is the POSIX second that $NOW stands for.
  explicit Bindings(std::int64_t now) : now_(now) {}
  // For a case that builds on another one of its family.
  static Bindings Following(std::int64_t now, const Bindings& before);

  // $NOW+120 is played as $NOW+longest, in cases that wait for a date to come.
  void Shorten(std::int64_t longest) { longest_offset_ = longest; }

  // A message to be sent: every placeholder replaced by its value. kNotFound names the placeholder
  // that nothing was bound to.
  Result<Node> Fill(const Node& printed);

  // Remembers what an answer shows.
  void Learn(const Node& request, const Node& response);

  // Seconds of $NOW, $NOW-3600, $NOW+20; nothing for other placeholders.
  std::optional<std::int64_t> TimeOf(const std::string& placeholder) const;
  // The second in which the case began.
  std::int64_t now() const { return now_; }

  const Value* Find(const std::string& placeholder) const;
  void Bind(const std::string& placeholder, Value value) { bound_[placeholder] = std::move(value); }
  // The placeholder of this case that has this value already; null when there is none.
  const std::string* HolderOf(const Value& value, const std::string& except) const;

  const KeyFacts& keys() const { return keys_; }
  bool RequestFixedDate(kmip::Tag field, std::int64_t seconds) const {
    return fixed_dates_.contains({field, seconds});
  }
  bool RequestNamedGroup(const std::string& group) const { return groups_.contains(group); }

  void Met(Slip slip) { slips_.insert(slip); }
  const std::set<Slip>& slips() const { return slips_; }

 private:
  Result<Node> FillBelow(const Node& printed, std::string attribute);
  Result<Value> ValueOf(const Node& printed);
  void LearnFields(const Node& node);

  std::int64_t now_;
  std::optional<std::int64_t> longest_offset_;
  std::map<std::string, Value> bound_;
  std::map<std::string, Value> inherited_;
  std::map<kmip::Tag, Value> last_field_;
  KeyFacts keys_;
  std::set<std::pair<kmip::Tag, std::int64_t>> fixed_dates_;
  std::set<std::pair<kmip::Tag, std::int64_t>> asked_dates_;  // of the request under way
  std::set<std::string> groups_;
  std::set<Slip> slips_;
};

// "DATA" of "$DATA_0".
std::string BaseName(const std::string& placeholder);

}  // namespace dare::conformance
