// The LMDB reader on databases made here byte by byte, whole and damaged in every way.
#include "core/data/lmdb_reader.h"

#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>

#include "check.h"
#include "core/error.h"

using namespace ristretto;

namespace {

constexpr size_t kPage = 4096;

struct Image {
  std::vector<uint8_t> bytes;

  uint8_t* page(size_t number) {
    if (bytes.size() < (number + 1) * kPage) bytes.resize((number + 1) * kPage);
    return bytes.data() + number * kPage;
  }
  template <class T>
  void put(size_t page_number, size_t offset, T value) {
    memcpy(page(page_number) + offset, &value, sizeof value);
  }
  void header(size_t number, uint16_t flags) {
    put<uint64_t>(number, 0, number);
    put<uint16_t>(number, 10, flags);
  }
  void meta(size_t number, uint64_t transaction, uint64_t last_page, uint16_t depth, uint64_t entries,
            uint64_t root) {
    header(number, 0x08);
    put<uint32_t>(number, 16, 0xBEEFC0DE);
    put<uint32_t>(number, 20, 1);
    put<uint32_t>(number, 40, kPage);
    put<uint16_t>(number, 88 + 6, depth);
    put<uint64_t>(number, 88 + 32, entries);
    put<uint64_t>(number, 88 + 40, root);
    put<uint64_t>(number, 136, last_page);
    put<uint64_t>(number, 144, transaction);
  }
  // Adds nodes from the page's end downwards, as LMDB does.
  void node(size_t number, uint64_t size_or_child, bool branch, uint16_t flags, const std::string& key,
            const std::string& data) {
    uint8_t* p = page(number);
    uint16_t lower, upper;
    memcpy(&lower, p + 12, 2);
    memcpy(&upper, p + 14, 2);
    if (lower == 0) lower = 16, upper = kPage;
    upper = uint16_t(upper - (8 + key.size() + data.size() + 1) / 2 * 2);
    put<uint16_t>(number, lower, upper);
    lower = uint16_t(lower + 2);
    put(number, 12, lower);
    put(number, 14, upper);
    put<uint16_t>(number, upper, uint16_t(size_or_child));
    put<uint16_t>(number, upper + 2, uint16_t(size_or_child >> 16));
    put<uint16_t>(number, upper + 4, branch ? uint16_t(size_or_child >> 32) : flags);
    put<uint16_t>(number, upper + 6, uint16_t(key.size()));
    memcpy(p + upper + 8, key.data(), key.size());
    memcpy(p + upper + 8 + key.size(), data.data(), data.size());
  }
};

std::string big_value() {
  std::string value(9000, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = char(i * 7);
  return value;
}

// Two leaves under one branch; the fourth record lies on overflow pages 5..7.
Image small_database() {
  Image image;
  image.meta(0, 2, 1, 0, 0, ~uint64_t{0});  // an older, empty state
  image.meta(1, 3, 7, 2, 5, 2);
  image.header(2, 0x01);
  image.node(2, 3, true, 0, "", "");
  image.node(2, 4, true, 0, "00000003_d", "");
  image.header(3, 0x02);
  image.node(3, 5, false, 0, "00000000_a", "first");
  image.node(3, 0, false, 0, "00000001_b", "");
  image.node(3, 6, false, 0, "00000002_c", "third!");
  image.header(4, 0x02);
  const std::string big = big_value();
  const uint64_t overflow = 5;
  image.node(4, big.size(), false, 0x01, "00000003_d",
             std::string(reinterpret_cast<const char*>(&overflow), 8));
  image.node(4, 4, false, 0, "00000004_e", "last");
  image.header(5, 0x04);
  image.put<uint32_t>(5, 12, 3);
  image.page(7);
  memcpy(image.page(5) + 16, big.data(), big.size());
  return image;
}

struct TemporaryFile {
  std::string path;
  TemporaryFile() {
    char name[] = "/tmp/ristretto-lmdb-XXXXXX";
    const int descriptor = mkstemp(name);
    if (descriptor >= 0) close(descriptor);
    path = name;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  void write(const uint8_t* bytes, size_t count) const {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes), std::streamsize(count));
  }
  void write_byte(size_t at, uint8_t value) const {
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out)
        .seekp(std::streamoff(at))
        .put(char(value));
  }
};

std::string text(const LmdbRecord& r) {
  return std::string(reinterpret_cast<const char*>(r.value.get()), r.size);
}

std::string error_of(const std::string& path) {
  try {
    LmdbReader reader(path);
    reader.read(0, reader.entries());
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(reads_records_in_key_order_from_anywhere) {
  TemporaryFile file;
  const Image image = small_database();
  file.write(image.bytes.data(), image.bytes.size());
  LmdbReader reader(file.path);
  CHECK_EQUAL(reader.entries(), 5u);
  const std::vector<LmdbRecord> all = reader.read(0, 100);
  CHECK_EQUAL(all.size(), 5u);
  CHECK_EQUAL(all[0].key, "00000000_a");
  CHECK_EQUAL(text(all[0]), "first");
  CHECK_EQUAL(text(all[1]), "");
  CHECK_EQUAL(text(all[2]), "third!");
  CHECK(text(all[3]) == big_value());
  CHECK_EQUAL(text(all[4]), "last");
  CHECK_EQUAL(text(reader.read(2, 1)[0]), "third!");
  CHECK_EQUAL(text(reader.read(4, 1)[0]), "last");
  CHECK_EQUAL(reader.read(1, 2).size(), 2u);
  CHECK_EQUAL(reader.read(5, 1).size(), 0u);
}

TEST(names_the_file_and_the_fault) {
  CHECK(error_of("/nonexistent/lmdb").find("/nonexistent/lmdb: No such file") == 0);
  TemporaryFile file;
  file.write(nullptr, 0);
  CHECK_EQUAL(error_of(file.path), file.path + ": is empty");
  const std::string text(10000, 'x');
  file.write(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  CHECK_EQUAL(error_of(file.path), file.path + ": is not an LMDB database");
  Image image = small_database();
  image.put<uint32_t>(0, 20, 2);
  file.write(image.bytes.data(), image.bytes.size());
  CHECK_EQUAL(error_of(file.path), file.path + ": has LMDB's data format 2; format 1 is read");
}

TEST(an_empty_database_has_no_records) {
  TemporaryFile file;
  Image image;
  image.meta(0, 0, 1, 0, 0, ~uint64_t{0});
  image.meta(1, 1, 1, 0, 0, ~uint64_t{0});
  file.write(image.bytes.data(), image.bytes.size());
  LmdbReader reader(file.path);
  CHECK_EQUAL(reader.entries(), 0u);
  CHECK_EQUAL(reader.read(0, 1).size(), 0u);
}

TEST(a_truncated_file_is_an_error_at_every_length) {
  TemporaryFile file;
  const Image image = small_database();
  for (size_t length = 0; length < image.bytes.size(); length += 61) {
    file.write(image.bytes.data(), length);
    CHECK(!error_of(file.path).empty(), "at length ", length);
  }
}

TEST(free_pages_may_be_missing_at_the_end) {
  TemporaryFile file;
  Image image = small_database();
  image.put<uint64_t>(1, 136, 20);
  file.write(image.bytes.data(), image.bytes.size());
  CHECK_EQUAL(error_of(file.path), "");
}

TEST(no_flipped_bit_ends_the_process) {
  TemporaryFile file;
  const Image image = small_database();
  // The parts that hold structure: headers, both meta pages' fields, pointers and nodes.
  file.write(image.bytes.data(), image.bytes.size());
  int refused = 0;
  for (size_t at = 0; at < image.bytes.size(); ++at) {
    const size_t in_page = at % kPage, page = at / kPage;
    if (page > 5 || (in_page > 160 && in_page < kPage - 120)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      file.write_byte(at, uint8_t(image.bytes[at] ^ 1 << bit));
      refused += !error_of(file.path).empty();
    }
    file.write_byte(at, image.bytes[at]);
  }
  CHECK(refused > 500, "only ", refused, " damages were noticed");
}

TEST(a_cycle_in_the_tree_ends) {
  TemporaryFile file;
  Image image = small_database();
  image.put<uint16_t>(1, 88 + 6, 30);  // a depth that lets the branch be its own child
  const size_t first_node = 4096 - 8;
  image.put<uint16_t>(2, first_node, 2);
  file.write(image.bytes.data(), image.bytes.size());
  CHECK(!error_of(file.path).empty());
}
