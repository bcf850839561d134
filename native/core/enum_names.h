// The names of an enum's values, as JavaScript gives them. They are said once, beside the enum:
//
//   template <>
//   inline constexpr auto names_of<LrnRegion> = enum_names<LrnRegion>(
//       "LrnRegion", {{"across", LrnRegion::across_channels}, {"within", LrnRegion::within_channel}});
#pragma once

#include <cstddef>

namespace ristretto {

template <class Enum>
struct NamedValue {
  const char* name;
  Enum value;
};

template <class Enum, std::size_t kCount>
struct EnumNames {
  const char* type;  // of the union of these names, in TypeScript
  const char* doc;   // one line for it, or ""
  NamedValue<Enum> values[kCount];
};

template <class Enum, std::size_t kCount>
constexpr EnumNames<Enum, kCount> enum_names(const char* type, const NamedValue<Enum> (&values)[kCount],
                                             const char* doc = "") {
  EnumNames<Enum, kCount> names{type, doc, {}};
  for (std::size_t i = 0; i < kCount; ++i) names.values[i] = values[i];
  return names;
}

template <class Enum>
inline constexpr auto names_of = nullptr;

}  // namespace ristretto
