#include "custody/rotation_state.h"

#include "crypto/random.h"
#include "custody/row_codec.h"

namespace dare::custody {
namespace {

constexpr char kStateRow[] = "custody-rotation";
constexpr char kLeaseRow[] = "custody-lease";
constexpr std::uint8_t kVersion = 1;

}  // namespace

Result<std::optional<RotationState>> ReadRotation(const Custody& custody,
                                                  const store::ObjectReader& reader) {
  const Result<Bytes> row = custody.ReadRow(reader, kStateRow);
  if (!row) {
    if (row.error().code == Code::kNotFound) return std::optional<RotationState>();
    return row.error();
  }
  RowReader in(*row);
  RotationState state;
  if (in.U8() != kVersion) return Error(Code::kDamaged, "the rotation's row is of another version");
  state.to = in.Variable();
  state.started = static_cast<std::int64_t>(in.U64());
  state.node = in.Text();
  state.pass = in.U64();
  state.cursor = in.U64();
  state.extent = in.U64();
  state.resealed = in.U64();
  state.finished = static_cast<std::int64_t>(in.U64());
  TRY(in.End());
  return std::optional(std::move(state));
}

Result<void> PutRotation(const Custody& custody, store::Transaction& transaction,
                         const RotationState& state) {
  RowWriter out;
  out.U8(kVersion);
  out.Variable(state.to);
  out.U64(static_cast<std::uint64_t>(state.started));
  out.Text(state.node);
  out.U64(state.pass);
  out.U64(state.cursor);
  out.U64(state.extent);
  out.U64(state.resealed);
  out.U64(static_cast<std::uint64_t>(state.finished));
  return custody.PutRow(transaction, kStateRow, out.Take());
}

Result<void> RotationLease::Hold(store::Transaction& transaction) {
  if (holder_.empty()) {
    holder_.resize(8);
    TRY(crypto::RandomBytes(holder_));
  }
  const std::int64_t now = custody_.clock().Now();
  const Result<Bytes> row = custody_.ReadRow(transaction, kLeaseRow);
  if (row) {
    RowReader in(*row);
    const bool known = in.U8() == kVersion;
    const std::string node = in.Text();
    const Bytes holder = in.Variable();
    const auto until = static_cast<std::int64_t>(in.U64());
    TRY(in.End());
    if (known && holder != holder_ && now < until) {
      return Error(Code::kConflict, "node " + node + " does the re-sealing");
    }
  } else if (row.error().code != Code::kNotFound) {
    return row.error();
  }
  RowWriter out;
  out.U8(kVersion);
  out.Text(custody_.options().node);
  out.Variable(holder_);
  out.U64(static_cast<std::uint64_t>(now + kSeconds));
  return custody_.PutRow(transaction, kLeaseRow, out.Take());
}

}  // namespace dare::custody
