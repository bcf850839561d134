// convertImage({data, height, width, channels}, {gray?, height?, width?}) -> Promise of the converted image.
#pragma once

#include <napi.h>

namespace ristretto::binding {

void define_convert_image(Napi::Env env, Napi::Object exports);

}  // namespace ristretto::binding
