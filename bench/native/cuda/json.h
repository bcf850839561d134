// One object of JSON after the other, as text.
#pragma once

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace ristretto::bench {

inline std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

class JsonObject {
 public:
  JsonObject& text(const char* key, const std::string& value) { return raw(key, json_string(value)); }
  JsonObject& number(const char* key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", value);
    return raw(key, std::isfinite(value) ? digits : "null");
  }
  JsonObject& flag(const char* key, bool value) { return raw(key, value ? "true" : "false"); }
  // `value` is JSON.
  JsonObject& raw(const char* key, const std::string& value) {
    fields_ += (fields_.empty() ? "" : ", ") + json_string(key) + ": " + value;
    return *this;
  }
  std::string str() const { return "{" + fields_ + "}"; }

 private:
  std::string fields_;
};

inline std::string json_array(const std::vector<std::string>& values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? ",\n  " : "\n  ") + values[i];
  return out + "]";
}

}  // namespace ristretto::bench
