// The one error type of the core. It crosses the binding as a JavaScript Error with the same message.
#pragma once

#include <stdexcept>
#include <sstream>
#include <string>

namespace ristretto {

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
};

// Memory could not be had.
class MemoryError : public Error {
 public:
  explicit MemoryError(const std::string& message) : Error(message) {}
};

// Work that was cancelled before its end; what it was writing is not to be read.
class Cancelled : public Error {
 public:
  Cancelled() : Error("cancelled") {}
};

// Throws an Error whose message is the arguments streamed one after the other.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw Error(message.str());
}

// Throws unless `condition` holds; the parts are only formatted when it does not.
template <class... Parts>
inline void require(bool condition, const Parts&... parts) {
  if (__builtin_expect(!condition, 0)) fail(parts...);
}

}  // namespace ristretto
