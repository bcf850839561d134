#include "shapes.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/error.h"

namespace ristretto::bench {

namespace {

constexpr int64_t kLargest = 1 << 20;

Shape parse_line(const std::string& line, const std::string& place) {
  std::istringstream in(line);
  Shape s;
  std::string more;
  in >> s.name >> s.channels >> s.height >> s.width >> s.kernels >> s.kernel_h >> s.kernel_w >> s.stride >>
      s.pad >> s.group;
  require(in && !(in >> more), place, ": '", line, "' is not name C H W K R S stride pad group");
  for (const int64_t size :
       {s.channels, s.height, s.width, s.kernels, s.kernel_h, s.kernel_w, s.stride, s.group})
    require(size >= 1 && size <= kLargest, place, ": a convolution of ", size, " of something");
  require(s.pad >= 0 && s.pad <= kLargest, place, ": pad ", s.pad);
  require(s.channels % s.group == 0 && s.kernels % s.group == 0, place, ": ", s.group,
          " groups do not divide the channels");
  require(s.height + 2 * s.pad >= s.kernel_h && s.width + 2 * s.pad >= s.kernel_w, place,
          ": the kernel exceeds the padded input");
  return s;
}

ShapeFile read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  require(in.good(), "cannot read ", path.string());
  ShapeFile file{path.stem().string(), {}};
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string::npos || line[start] == '#') continue;
    file.shapes.push_back(parse_line(line, path.string() + ":" + std::to_string(number)));
  }
  require(!file.shapes.empty(), path.string(), " holds no problem");
  return file;
}

}  // namespace

std::string Shape::problem() const {
  std::ostringstream text;
  text << channels << 'x' << height << 'x' << width << ' ' << kernels << 'x' << kernel_h << 'x' << kernel_w
       << " /" << stride << " +" << pad;
  if (group > 1) text << " g" << group;
  return text.str();
}

std::vector<ShapeFile> read_shapes(const std::string& path) {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".txt") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    require(!paths.empty(), path, " holds no .txt file");
  } else {
    paths.push_back(path);
  }
  std::vector<ShapeFile> files;
  for (const fs::path& each : paths) files.push_back(read_file(each));
  return files;
}

Shape shrunk(const Shape& shape) {
  constexpr int64_t kMostPixels = 9, kMostChannels = 40, kMostKernels = 24;
  Shape s = shape;
  s.height = std::min(s.height, std::max(kMostPixels, s.kernel_h));
  s.width = std::min(s.width, std::max(kMostPixels, s.kernel_w));
  if (s.group == 1) {
    s.channels = std::min(s.channels, kMostChannels);
    s.kernels = std::min(s.kernels, kMostKernels);
  } else {
    const int64_t group = std::min<int64_t>(s.group, 8);
    s.channels = s.channels / s.group * group;
    s.kernels = s.kernels / s.group * group;
    s.group = group;
  }
  return s;
}

}  // namespace ristretto::bench
