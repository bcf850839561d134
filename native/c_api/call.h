// What every function of the C interface does around its work: no exception leaves, the last error is kept.
#pragma once

#include <exception>
#include <new>
#include <system_error>

#include "core/error.h"
#include "ristretto.h"

namespace ristretto::c_api {

// Data, not an argument, is at fault.
class DataError : public Error {
 public:
  using Error::Error;
};

// Keeps the message for the calling thread and returns the status. Does not allocate.
ristretto_status failed(ristretto_status status, const char* message) noexcept;

// Runs `body`; an exception becomes a status. Messages begin with the function's name.
template <class Body>
ristretto_status call(const Body& body) noexcept {
  try {
    body();
    return RISTRETTO_OK;
  } catch (const MemoryError& e) {
    return failed(RISTRETTO_ERROR_MEMORY, e.what());
  } catch (const DataError& e) {
    return failed(RISTRETTO_ERROR_DATA, e.what());
  } catch (const Error& e) {
    return failed(RISTRETTO_ERROR_ARGUMENT, e.what());
  } catch (const std::bad_alloc&) {
    return failed(RISTRETTO_ERROR_MEMORY, "out of memory");
  } catch (const std::system_error& e) {
    return failed(RISTRETTO_ERROR_MEMORY, e.what());
  } catch (const std::exception& e) {
    return failed(RISTRETTO_ERROR_INTERNAL, e.what());
  } catch (...) {
    return failed(RISTRETTO_ERROR_INTERNAL, "unknown failure");
  }
}

// Checks an op's arguments, then runs it: what the run itself refuses is data.
template <class Op, class Context>
void check_and_run(Context& context, const typename Op::Arguments& arguments) {
  Op::check(arguments);
  try {
    Op::run(context, arguments);
  } catch (const MemoryError&) {
    throw;
  } catch (const Error& e) {
    throw DataError(e.what());
  }
}

}  // namespace ristretto::c_api
