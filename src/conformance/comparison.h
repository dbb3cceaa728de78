#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "conformance/bindings.h"
#include "conformance/tree.h"
#include "conformance/variations.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"

namespace dare::conformance {

// A Comparison tells whether an actual message is the printed one, the allowed variations aside.
// It binds placeholders as it meets them. One message, one thread.
//
// Attributes, the attributes of a Put or Notify, and the lists of a Query answer stand in no order
// and are compared as sets, and so is what Locate found before 2.0 gave it an order; everything
// else is compared in order.
class Comparison {
 public:
  struct Options {
    bool versions_may_be_mixed = false;  // quirks.csv says the file prints several versions
  };

  // `request` is the message that was sent, its placeholders filled; for a message that the server
  // sends by itself, that message. `bindings` and `request` outlive the comparison.
  Comparison(Bindings& bindings, const Node& request, Options options);

  // Nothing, or the first place where the two part: "at /ResponseMessage/…: expected X, got Y".
  std::optional<std::string> Run(const Node& expected, const Node& actual);

  // The rules that let a difference pass.
  const Variations& used() const { return used_; }

 private:
  using Difference = std::optional<std::string>;
  // Where a node stands, and the Attribute Name in force there (1.x).
  struct Place {
    std::string path;
    std::string attribute;
    kmip::Tag parent{};
  };

  Difference Compare(const Node& expected, const Node& actual, const Place& above);
  Difference CompareValues(const Node& expected, const Node& actual, const Place& place);
  Difference ComparePlaceholder(const Node& expected, const Node& actual, const Place& place);
  Difference CompareInOrder(const Node& expected, const Node& actual, Place place);
  Difference CompareAsSets(const Node& expected, const Node& actual, const Place& place);
  Difference CompareDiscoveredVersions(const Node& expected, const Node& actual,
                                       const Place& place);
  void EnterBatchItem(const Node& expected, const Node& actual);
  bool Unordered(kmip::Tag tag) const;

  // Whether the item may be left out, or may stand in `parent` though nobody expects it.
  bool MayBeAbsent(const Node& item);
  bool MayBeExtra(const Node& item, kmip::Tag parent);
  bool MayVary(const Node& expected, const Node& actual, const Place& place);
  bool OutputMayVary(std::string_view placeholder) const;
  bool FreeAttribute(const Node& item);
  bool AttributesWereNamed() const;
  bool Is(kmip::Operation operation) const;
  bool Use(Variation variation) {
    used_.insert(variation);
    return true;
  }

  Bindings& bindings_;
  const Node& request_;
  const Options options_;
  const kmip::ProtocolVersion version_;
  Variations used_;

  // Of the batch item being compared.
  std::uint32_t operation_ = 0;
  const Node* request_payload_ = nullptr;
  std::set<std::string> asked_for_;  // the identifiers in it
  std::string meant_;                // the one object it is about; empty when there is none
  bool server_made_ = false;
  bool randomised_ = false;
};

}  // namespace dare::conformance
