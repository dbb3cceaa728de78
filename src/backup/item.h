#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "store/object_store.h"

// What a backup consists of, as bytes: docs/formats/backup.md. Written and read here.
namespace dare::backup {

struct Head {
  std::int64_t created = 0;  // POSIX seconds
  std::string node;          // that made it
  std::string program;       // "dare-kms 1.2.3"
};
struct Fact {
  std::string key;
  Bytes value;
};
// Something beside the store that an empty machine needs: `role` says what.
struct Attachment {
  std::string role;
  Bytes content;
};

// How much was written or read, the head and the end aside.
struct Counts {
  std::uint64_t records = 0;
  std::uint64_t facts = 0;
  std::uint64_t attachments = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

// Appends items to a buffer that the caller empties. The head comes first, the end last.
class ItemWriter {
 public:
  static Result<ItemWriter> Begin();

  Result<void> Put(const Head& head, Bytes& out);
  Result<void> Put(const Fact& fact, Bytes& out);
  Result<void> Put(const store::ObjectRecord& record, Bytes& out);
  Result<void> Put(const Attachment& attachment, Bytes& out);
  // How many of each there were, and a digest of all before.
  Result<void> End(Bytes& out);
  const Counts& counts() const { return counts_; }

 private:
  explicit ItemWriter(crypto::DigestStream digest) : digest_(std::move(digest)) {}
  Result<void> Add(std::uint8_t kind, ByteView content, Bytes& out);

  crypto::DigestStream digest_;
  Counts counts_;
};

// Where items go, in their order. Any error ends the reading.
class ItemVisitor {
 public:
  virtual ~ItemVisitor() = default;
  virtual Result<void> Take(const Head& head) = 0;
  virtual Result<void> Take(Fact fact) = 0;
  virtual Result<void> Take(store::ObjectRecord record) = 0;
  virtual Result<void> Take(Attachment attachment) = 0;
};

// Takes bytes as they come and gives whole items. Holds one item at most.
class ItemReader {
 public:
  static Result<ItemReader> Begin(ItemVisitor& visitor);

  // kDamaged for what ItemWriter does not write, kUnsupported for a newer format.
  Result<void> Push(ByteView bytes);
  // Nothing follows: kDamaged unless the end was read and all of it agrees.
  Result<void> Finish() const;
  const Counts& counts() const { return counts_; }

 private:
  ItemReader(ItemVisitor& visitor, crypto::DigestStream digest)
      : visitor_(&visitor), digest_(std::move(digest)) {}
  Result<void> TakeItem(std::uint8_t kind, ByteView content, ByteView whole);
  Result<void> TakeEnd(ByteView content);

  ItemVisitor* visitor_;
  crypto::DigestStream digest_;
  Counts counts_;
  Bytes pending_;
  bool has_head_ = false;
  bool ended_ = false;
};

}  // namespace dare::backup
