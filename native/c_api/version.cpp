#include "ristretto.h"

#define RISTRETTO_TEXT_OF(x) #x
#define RISTRETTO_TEXT(x) RISTRETTO_TEXT_OF(x)

int32_t ristretto_version(void) { return RISTRETTO_VERSION; }

const char* ristretto_version_text(void) {
  return RISTRETTO_TEXT(RISTRETTO_VERSION_MAJOR) "." RISTRETTO_TEXT(
      RISTRETTO_VERSION_MINOR) "." RISTRETTO_TEXT(RISTRETTO_VERSION_PATCH);
}
