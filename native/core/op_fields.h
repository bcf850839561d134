// How an op's Arguments say which fields a caller names, beside the members that take them:
//
//   struct LrnArguments {
//     Tensor src, dst;
//     int64_t size = 5;
//     TrimFormat trim;
//
//     template <class F>
//     static void fields(F& field) {
//       using A = LrnArguments;
//       field("src", &A::src);
//       field("dst", &A::dst);
//       field("size", &A::size).at_least(1);
//       field("trim", &A::trim).doc("A minifloat: every intermediate result is trimmed.");
//     }
//   };
//
// The order is that in which they are checked. `field` is whoever wants to know (binding/op_binding.h):
//
//   field(name, &A::member)               one field
//   field(name, &A::part, &Part::member)  one whose member is in a struct in the arguments
//   field(name, &A::member, &A::given)    one whose presence is a member, too: a bool
//
// A member's type decides what is taken. Booleans, rounding rules, number formats, random streams, packed
// weights and lists of numbers may be left out, everything else must be given unless it is optional().
//
// It is a template that is called, not a table of constants: a source that includes an op's header to run the
// op pays nothing for it, and shared groups are functions (shared_fields.h).
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "enum_names.h"

namespace ristretto {

struct FieldSpec {
  std::string name;
  bool required = true;
  // Of whole numbers; of a format of codes its bits.
  int64_t least = std::numeric_limits<int32_t>::min(), most = int64_t{1} << 53;
  const char* text = "";

  FieldSpec& optional() {
    required = false;
    return *this;
  }
  FieldSpec& at_least(int64_t value) {
    least = value;
    return *this;
  }
  FieldSpec& at_most(int64_t value) {
    most = value;
    return *this;
  }
  FieldSpec& between(int64_t low, int64_t high) { return at_least(low).at_most(high); }
  // One line for the TypeScript types.
  FieldSpec& doc(const char* line) {
    text = line;
    return *this;
  }
};

}  // namespace ristretto
