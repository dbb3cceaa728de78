// Values and data keys of the C interface (include/dare/dare.h).
#include <dare/dare.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/secret_bytes.h"
#include "envelope/data_key.h"
#include "envelope/value.h"
#include "libdare/border.h"
#include "libdare/handle.h"

struct dare_data_key {
  dare::SecretBytes key;
  dare::Bytes wrapped;
};

namespace dare::lib {
namespace {

using envelope::EncryptionContext;

ByteView ViewOf(const void* bytes, std::size_t size) {
  return {static_cast<const std::uint8_t*>(bytes), size};
}

Result<EncryptionContext> ContextOf(const dare_pair* pairs, std::size_t count) {
  TRY(RequireArguments(pairs != nullptr || count == 0));
  EncryptionContext context;
  for (std::size_t i = 0; i < count; ++i) {
    TRY(RequireArguments(pairs[i].name != nullptr && pairs[i].value != nullptr));
    const std::string name = pairs[i].name;
    if (name.starts_with(envelope::kReservedPairPrefix)) {
      return Error(Code::kInvalidArgument, "context names starting with dare- are reserved");
    }
    TRY(context.AddPortable(name, pairs[i].value));
  }
  return context;
}

// From malloc: a buffer is freed by dare_buffer_free(), whatever the program's new and delete are.
Result<dare_buffer> BufferOf(ByteView bytes) {
  dare_buffer buffer{static_cast<unsigned char*>(std::malloc(bytes.size() + 1)), bytes.size()};
  if (buffer.data == nullptr) return Error(Code::kExhausted, "out of memory");
  if (!bytes.empty()) std::memcpy(buffer.data, bytes.data(), bytes.size());
  return buffer;
}

Result<dare_data_key*> WrapWith(Call& call, const char* key, const EncryptionContext& context,
                                SecretBytes bytes) {
  const EncryptionContext full = TRY(envelope::DataKeyContext(context));
  const auto dek = TRY(call.SealingDek(key, full, bytes.size()));
  Bytes wrapped = TRY(envelope::WrapDataKey(*dek, full, bytes));
  return new dare_data_key{std::move(bytes), std::move(wrapped)};
}

}  // namespace
}  // namespace dare::lib

using dare::Result;
using dare::lib::AtBorder;
using dare::lib::BufferOf;
using dare::lib::Call;
using dare::lib::ContextOf;
using dare::lib::RequireArguments;
using dare::lib::ViewOf;
using dare::lib::WrapWith;

extern "C" {

void dare_buffer_free(dare_buffer* buffer) {
  if (buffer == nullptr) return;
  if (buffer->data != nullptr) dare::Wipe({buffer->data, buffer->size});
  std::free(buffer->data);
  *buffer = {nullptr, 0};
}

dare_status dare_seal_value(dare_client* client, const char* key, const dare_pair* context,
                            size_t pairs, const void* plain, size_t size, dare_buffer* sealed) {
  if (sealed != nullptr) *sealed = {nullptr, 0};
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && sealed != nullptr &&
                         (plain != nullptr || size == 0)));
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    if (size > dare::envelope::kMostValueBytes) {
      return dare::Error(dare::Code::kTooLarge, "a value has at most 16 MiB; seal it as a stream");
    }
    Call call(*client);
    const auto dek = TRY(call.SealingDek(key, bound, size));
    const dare::Bytes message = TRY(dare::envelope::SealValue(*dek, bound, ViewOf(plain, size)));
    *sealed = TRY(BufferOf(message));
    return {};
  });
}

dare_status dare_open_value(dare_client* client, const dare_pair* context, size_t pairs,
                            const void* sealed, size_t size, dare_buffer* plain) {
  if (plain != nullptr) *plain = {nullptr, 0};
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && sealed != nullptr && plain != nullptr));
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    Call call(*client);
    const dare::envelope::Keyring keks = TRY(call.OpeningKeyring());
    const dare::WipingBytes opened =
        TRY(dare::envelope::OpenValue(ViewOf(sealed, size), bound, keks));
    *plain = TRY(BufferOf(opened));
    return {};
  });
}

dare_status dare_data_key_generate(dare_client* client, const char* key, const dare_pair* context,
                                   size_t pairs, dare_data_key** data_key) {
  if (data_key != nullptr) *data_key = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && data_key != nullptr));
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    Call call(*client);
    dare::SecretBytes fresh = TRY(dare::SecretBytes::Random(dare::envelope::kDataKeyBytes));
    *data_key = TRY(WrapWith(call, key, bound, std::move(fresh)));
    return {};
  });
}

dare_status dare_data_key_wrap(dare_client* client, const char* key, const dare_pair* context,
                               size_t pairs, const void* bytes, size_t size,
                               dare_data_key** data_key) {
  if (data_key != nullptr) *data_key = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && bytes != nullptr && data_key != nullptr));
    if (size < dare::envelope::kLeastDataKeyBytes || size > dare::envelope::kMostDataKeyBytes) {
      return dare::Error(dare::Code::kInvalidArgument, "a data key has 16 to 1024 bytes");
    }
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    Call call(*client);
    dare::SecretBytes copy = TRY(dare::SecretBytes::CopyOf(ViewOf(bytes, size)));
    *data_key = TRY(WrapWith(call, key, bound, std::move(copy)));
    return {};
  });
}

dare_status dare_data_key_unwrap(dare_client* client, const dare_pair* context, size_t pairs,
                                 const void* wrapped, size_t size, dare_data_key** data_key) {
  if (data_key != nullptr) *data_key = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && wrapped != nullptr && data_key != nullptr));
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    const auto full = TRY(dare::envelope::DataKeyContext(bound));
    Call call(*client);
    const dare::ByteView bytes = ViewOf(wrapped, size);
    const dare::envelope::Keyring keks = TRY(call.OpeningKeyring());
    dare::SecretBytes key = TRY(dare::envelope::UnwrapDataKey(bytes, full, keks));
    *data_key = new dare_data_key{std::move(key), dare::ToBytes(bytes)};
    return {};
  });
}

dare_status dare_data_key_rewrap(dare_client* client, const char* key, const dare_pair* context,
                                 size_t pairs, const dare_data_key* old, dare_data_key** data_key) {
  if (data_key != nullptr) *data_key = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && old != nullptr && data_key != nullptr));
    const dare::envelope::EncryptionContext bound = TRY(ContextOf(context, pairs));
    Call call(*client);
    dare::SecretBytes copy = TRY(old->key.Clone());
    *data_key = TRY(WrapWith(call, key, bound, std::move(copy)));
    return {};
  });
}

const void* dare_data_key_wrapped(const dare_data_key* data_key, size_t* size) {
  if (size != nullptr) *size = data_key->wrapped.size();
  return data_key->wrapped.data();
}

const void* dare_data_key_reveal(const dare_data_key* data_key, size_t* size) {
  if (size != nullptr) *size = data_key->key.size();
  return data_key->key.Reveal().data();
}

void dare_data_key_free(dare_data_key* data_key) { delete data_key; }

}  // extern "C"
