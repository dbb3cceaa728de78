#pragma once

#include <map>
#include <set>
#include <string>

#include "conformance/tree.h"

namespace dare::conformance {

// KeyFacts knows of each object of a conversation what decides whether an answer can be foreseen:
// whether the server made its key, and whether what is done with it involves chance. Learned from
// the messages alone.
class KeyFacts {
 public:
  void Learn(const Node& request, const Node& response);

  // The objects that the conversation made and did not destroy.
  const std::set<std::string>& left_behind() const { return left_behind_; }
  // True when one of these objects has a key that the server made.
  bool ServerMade(const std::set<std::string>& ids) const;
  // True when `operation` under one of these objects gives another output each time: an initial
  // value that the server chooses, random padding, a signature with a nonce, random bytes.
  // `request` and `response` are payloads; null when there is none.
  bool Randomised(std::uint32_t operation, const std::set<std::string>& ids, const Node* request,
                  const Node* response) const;

 private:
  // What the request that brought the object said about how it is used.
  struct Use {
    bool random_padding = false;    // OAEP, PKCS#1 v1.5 or PSS
    bool random_signature = false;  // PSS, DSA, ECDSA
  };
  static Use UseOf(const Node& payload);

  std::set<std::string> server_made_;
  std::set<std::string> brought_;
  std::set<std::string> left_behind_;
  std::map<std::string, Use> uses_;
};

// True for operations that end with a key the server made, or a certificate it issued.
bool ServerMakesTheObject(std::uint32_t operation);
// The identifiers a payload carries, at any depth.
std::set<std::string> IdentifiersIn(const Node* payload);

}  // namespace dare::conformance
