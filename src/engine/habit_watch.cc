#include "engine/habit_watch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

#include "base/log.h"
#include "kmip/enums.h"
#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

constexpr kmip::Operation kUses[] = {
    kmip::Operation::kGet,
    kmip::Operation::kExport,
    kmip::Operation::kEncrypt,
    kmip::Operation::kDecrypt,
    kmip::Operation::kSign,
    kmip::Operation::kSignatureVerify,
    kmip::Operation::kMAC,
    kmip::Operation::kMACVerify,
    kmip::Operation::kDeriveKey,
    kmip::Operation::kJoinSplitKey,
    kmip::Operation::kCreateSplitKey,
};
constexpr double kHalfLife = 7 * 86400;

}  // namespace

bool UsesKey(std::string_view operation) {
  static const auto names = [] {
    std::array<std::string_view, std::size(kUses)> all;
    std::ranges::transform(kUses, all.begin(), [](kmip::Operation use) {
      return kmip::EnumName(kmip::Tag::kOperation, static_cast<std::uint32_t>(use));
    });
    return all;
  }();
  return std::ranges::find(names, operation) != names.end();
}

bool HabitWatch::Sketch::Add(std::uint64_t hash) {
  constexpr int kIndexBits = std::countr_zero(kRegisters);
  std::uint8_t& mine = registers_[hash >> (64 - kIndexBits)];
  const std::uint64_t rest = hash << kIndexBits | (1u << (kIndexBits - 1));
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  if (rank <= mine) return false;
  mine = rank;
  return true;
}

std::uint64_t HabitWatch::Sketch::Estimate() const {
  constexpr double kCount = kRegisters;
  double sum = 0;
  int empty = 0;
  for (const std::uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0 ? 1 : 0;
  }
  const double estimate = 0.7213 / (1 + 1.079 / kCount) * kCount * kCount / sum;
  if (estimate <= 2.5 * kCount && empty != 0) {
    return static_cast<std::uint64_t>(std::llround(kCount * std::log(kCount / empty)));
  }
  return static_cast<std::uint64_t>(std::llround(estimate));
}

void HabitWatch::TurnTo(Habit& habit, std::int64_t window) const {
  if (window <= habit.window) return;  // a clock that was put back goes on in the same window
  const auto passed = static_cast<double>((window - habit.window) * options_.window_seconds);
  const double most = std::max(habit.most, static_cast<double>(habit.keys));
  habit.most = habit.window == 0 ? 0 : most * std::exp2(-passed / kHalfLife);
  habit.window = window;
  habit.keys = 0;
  habit.told = false;
  habit.sketch.Clear();
}

// What is unlike before, where that is to be told.
std::optional<std::string> HabitWatch::Count(const audit::Entry& entry) {
  const MutexLock lock(mutex_);
  Habit& habit = habits_[entry.principal];
  TurnTo(habit, entry.time / options_.window_seconds);
  if (!habit.sketch.Add(std::hash<std::string_view>()(entry.object_id))) return std::nullopt;
  habit.keys = habit.sketch.Estimate();
  const double bound =
      std::max<double>(options_.keys, static_cast<double>(options_.factor) * habit.most);
  if (habit.told || static_cast<double>(habit.keys) <= bound) return std::nullopt;
  habit.told = true;
  return "used " + std::to_string(habit.keys) + " different keys within " +
         std::to_string(options_.window_seconds) + " s, and never more than " +
         std::to_string(std::llround(habit.most)) + " before";
}

std::optional<audit::Entry> HabitWatch::Look(const audit::Entry& entry) {
  const bool counts = options_.watch && entry.outcome == audit::Outcome::kAllowed &&
                      !entry.object_id.empty() && !entry.principal.empty() &&
                      UsesKey(entry.operation);
  if (!counts) return std::nullopt;
  const std::optional<std::string> told = Count(entry);
  if (!told) return std::nullopt;
  log::Warning("'" + entry.principal + "' " + *told);
  if (options_.act) options_.act(entry.principal, *told);
  audit::Entry alarm;
  alarm.time = entry.time;
  alarm.principal = entry.principal;
  alarm.address = entry.address;
  alarm.operation = "alarm";
  alarm.outcome = audit::Outcome::kAllowed;
  alarm.rule = "habit";
  alarm.request_id = entry.request_id;
  alarm.detail = *told;
  return alarm;
}

}  // namespace dare::engine
