#pragma once

#include <cstdint>

#include "kmip/enums.h"

namespace dare::policy {

// What an operation does, as far as it matters who may: the one table that every rule begins with.
enum class OperationClass : std::uint8_t {
  kUnknown,      // denied to everybody: adding an operation to the server starts with a line here
  kSession,      // about the asker's own connection, tickets and requests, or the server itself
  kOwnRules,     // lays down what holds for the asker's own objects, or passes on what it may
  kMake,         // a new object with a key that the server makes
  kBring,        // a new object with what the message brings
  kCompute,      // the server's cryptography without a stored key: random bytes, digests
  kFind,         // stored objects, each judged by itself before it is named
  kRead,         // an object's attributes
  kWithdraw,     // takes an object out of use, or back
  kManage,       // the rest of an object's life: activation, attributes, another key in its place
  kUse,          // an object's key, or what it stands for
  kUseOrBrought  // the same, with objects that are stored or that the message brings
};
OperationClass ClassOf(kmip::Operation operation);

}  // namespace dare::policy
