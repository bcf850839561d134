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

// How the three kinds of files are laid out: LMDB 0.9 on 64 bits, on 32 bits, and the npm package lmdb.
struct Layout {
  size_t word, header, base;
  uint32_t version;
};
constexpr Layout k64{8, 16, 0, 1}, k32{4, 12, 0, 1}, kNpm{8, 24, 24, 2};

struct Image {
  Layout layout = k64;
  size_t page_size = kPage;
  std::vector<uint8_t> bytes;

  Image() = default;
  Image(const Layout& l, size_t page) : layout(l), page_size(page) {}

  uint8_t* page(size_t number) {
    if (bytes.size() < (number + 1) * page_size) bytes.resize((number + 1) * page_size);
    return bytes.data() + number * page_size;
  }
  template <class T>
  void put(size_t page_number, size_t offset, T value) {
    memcpy(page(page_number) + offset, &value, sizeof value);
  }
  void put_word(size_t page_number, size_t offset, uint64_t value) {
    memcpy(page(page_number) + offset, &value, layout.word);
  }
  size_t fields() const { return layout.header - 6; }  // flags, lower, upper
  size_t tree_bytes() const { return 8 + 5 * layout.word; }
  // Of the tree of records in a meta page.
  size_t records() const { return layout.header + 8 + 2 * layout.word + tree_bytes(); }
  size_t last_page() const { return records() + tree_bytes(); }

  void header(size_t number, uint16_t flags) {
    put_word(number, 0, number);
    put<uint16_t>(number, fields(), flags);
  }
  std::string tree(uint16_t flags, uint16_t depth, uint64_t entries, uint64_t root) const {
    std::string t(tree_bytes(), '\0');
    memcpy(&t[4], &flags, 2);
    memcpy(&t[6], &depth, 2);
    memcpy(&t[8 + 3 * layout.word], &entries, layout.word);
    memcpy(&t[8 + 4 * layout.word], &root, layout.word);
    return t;
  }
  void meta(size_t number, uint64_t transaction, uint64_t last, uint16_t depth, uint64_t entries,
            uint64_t root, uint16_t flags = 0) {
    header(number, 0x08);
    put<uint32_t>(number, layout.header, 0xBEEFC0DE);
    put<uint32_t>(number, layout.header + 4, layout.version);
    put<uint32_t>(number, layout.header + 8 + 2 * layout.word, uint32_t(page_size));
    const std::string t = tree(flags, depth, entries, root);
    memcpy(page(number) + records(), t.data(), t.size());
    put_word(number, last_page(), last);
    put_word(number, last_page() + layout.word, transaction);
  }
  // Adds nodes from the page's end downwards, as LMDB does.
  void node(size_t number, uint64_t size_or_child, bool branch, uint16_t flags, const std::string& key,
            const std::string& data) {
    uint16_t lower, upper;
    memcpy(&lower, page(number) + fields() + 2, 2);
    memcpy(&upper, page(number) + fields() + 4, 2);
    if (lower == 0 && upper == 0)
      lower = uint16_t(layout.header - layout.base), upper = uint16_t(page_size - layout.base);
    upper = uint16_t(upper - (8 + key.size() + data.size() + 1) / 2 * 2);
    put<uint16_t>(number, lower + layout.base, upper);
    lower = uint16_t(lower + 2);
    put(number, fields() + 2, lower);
    put(number, fields() + 4, upper);
    const size_t at = upper + layout.base;
    put<uint16_t>(number, at, uint16_t(size_or_child));
    put<uint16_t>(number, at + 2, uint16_t(size_or_child >> 16));
    put<uint16_t>(number, at + 4, branch ? uint16_t(size_or_child >> 32) : flags);
    put<uint16_t>(number, at + 6, uint16_t(key.size()));
    memcpy(page(number) + at + 8, key.data(), key.size());
    memcpy(page(number) + at + 8 + key.size(), data.data(), data.size());
  }
};

std::string big_value() {
  std::string value(9000, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = char(i * 7);
  return value;
}

// Two leaves under one branch; the fourth record lies on overflow pages from 5 on.
Image small_database(const Layout& layout = k64, size_t page_size = kPage) {
  Image image(layout, page_size);
  const std::string big = big_value();
  const size_t overflow_pages = (layout.header + big.size() + page_size - 1) / page_size;
  image.meta(0, 2, 1, 0, 0, ~uint64_t{0});  // an older, empty state
  image.meta(1, 3, 4 + overflow_pages, 2, 5, 2);
  image.header(2, 0x01);
  image.node(2, 3, true, 0, "", "");
  image.node(2, 4, true, 0, "00000003_d", "");
  image.header(3, 0x02);
  image.node(3, 5, false, 0, "00000000_a", "first");
  image.node(3, 0, false, 0, "00000001_b", "");
  image.node(3, 6, false, 0, "00000002_c", "third!");
  image.header(4, 0x02);
  const uint64_t overflow = 5;
  image.node(4, big.size(), false, 0x01, "00000003_d",
             std::string(reinterpret_cast<const char*>(&overflow), layout.word));
  image.node(4, 4, false, 0, "00000004_e", "last");
  image.header(5, 0x04);
  image.put<uint32_t>(5, image.fields() + 2, uint32_t(overflow_pages));
  image.page(4 + overflow_pages);
  memcpy(image.page(5) + layout.header, big.data(), big.size());
  return image;
}

// One leaf with these keys, each with its place as the value.
Image leaf_of(uint16_t flags, const std::vector<std::string>& keys, const Layout& layout = k64) {
  Image image(layout, kPage);
  image.meta(0, 2, 1, 0, 0, ~uint64_t{0});
  image.meta(1, 3, 2, 1, keys.size(), 2, flags);
  image.header(2, 0x02);
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string value = std::to_string(i);
    image.node(2, value.size(), false, 0, keys[i], value);
  }
  return image;
}

template <class T>
std::string bytes_of(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
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
  for (const Layout& layout : {k64, k32, kNpm})
    for (size_t page_size = 512; page_size <= (layout.base ? 65536 : 32768); page_size *= 2) {
      TemporaryFile file;
      const Image image = small_database(layout, page_size);
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
}

TEST(keeps_the_order_of_the_database) {
  const auto keys_of = [](const Image& image) {
    TemporaryFile file;
    file.write(image.bytes.data(), image.bytes.size());
    LmdbReader reader(file.path);
    std::string keys;
    for (uint64_t i = 0; i < reader.entries(); ++i) {
      const LmdbRecord record = std::move(reader.read(i, 1)[0]);
      CHECK_EQUAL(text(record), std::to_string(i));
      keys += record.key + " ";
    }
    return keys;
  };
  // Whole numbers as the machine stores them: as bytes, 1 stands behind 256.
  CHECK_EQUAL(
      keys_of(leaf_of(0x08, {bytes_of(uint32_t{1}), bytes_of(uint32_t{256}), bytes_of(~uint32_t{0})})),
      "0000000001 0000000256 4294967295 ");
  CHECK_EQUAL(keys_of(leaf_of(0x08, {bytes_of(uint64_t{1}), bytes_of(uint64_t{1} << 40)})),
              "00000000000000000001 00000001099511627776 ");
  CHECK_EQUAL(keys_of(leaf_of(0x08, {bytes_of(uint32_t{1}), bytes_of(uint32_t{256})}, k32)),
              "0000000001 0000000256 ");
  // Read from the last byte to the first.
  CHECK_EQUAL(keys_of(leaf_of(0x02, {"z1", "a2", "a22"})), "z1 a2 a22 ");
  CHECK_EQUAL(keys_of(leaf_of(0, {std::string("\0\x01", 2), "a\tb", "\xc3\xbc", "\xff"})),
              "0x0001 a\tb \xc3\xbc 0xff ");
  // Values of one key would follow each other; single ones may stand in such a database.
  CHECK_EQUAL(keys_of(leaf_of(0x04, {"a", "b"})), "a b ");
}

TEST(keys_out_of_their_order_are_told) {
  TemporaryFile file;
  const auto fault_of = [&](const Image& image) {
    file.write(image.bytes.data(), image.bytes.size());
    return error_of(file.path).substr(file.path.size());
  };
  CHECK_EQUAL(fault_of(leaf_of(0, {"b", "a"})), ": is corrupt: keys out of order at 'b'");
  CHECK_EQUAL(fault_of(leaf_of(0x08, {bytes_of(uint32_t{256}), bytes_of(uint32_t{1})})),
              ": is corrupt: keys out of order at '0000000256'");
  CHECK_EQUAL(fault_of(leaf_of(0x02, {"a2", "z1"})), ": is corrupt: keys out of order at 'a2'");
  CHECK_EQUAL(fault_of(leaf_of(0x08, {"abc"})),
              ": is corrupt: a key of 3 bytes where keys are whole numbers");
  Image image = leaf_of(0x04, {"a", "b"});
  image.put<uint16_t>(2, kPage - 10 + 4, 0x04);
  CHECK_EQUAL(
      fault_of(image),
      ": record 'a' has several values (MDB_DUPSORT), which is not read: store each under a key of its own");
}

// Named databases are nodes of the main one, whose values describe their trees.
TEST(reads_the_only_named_database_and_names_several) {
  for (const Layout& layout : {k64, k32, kNpm}) {
    TemporaryFile file;
    Image image = small_database(layout);
    const std::string train = image.tree(0, 2, 5, 2);
    const size_t root = image.bytes.size() / kPage;
    image.meta(1, 3, root, 1, 1, root);
    image.header(root, 0x02);
    image.node(root, train.size(), false, 0x02, "train", train);
    file.write(image.bytes.data(), image.bytes.size());
    LmdbReader reader(file.path);
    CHECK_EQUAL(reader.entries(), 5u);
    CHECK(text(reader.read(3, 1)[0]) == big_value());

    image.meta(1, 3, root, 1, 2, root);
    image.node(root, train.size(), false, 0x02, "val", train);
    file.write(image.bytes.data(), image.bytes.size());
    CHECK(error_of(file.path).find(": holds 2 named databases ('train', 'val'); one is read: copy it") !=
          std::string::npos);
    image.meta(1, 3, root, 1, 3, root);
    image.node(root, 1, false, 0, "x", "y");
    file.write(image.bytes.data(), image.bytes.size());
    CHECK(error_of(file.path).find(": holds 2 named databases ('train', 'val') beside records") !=
          std::string::npos);
  }
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
  CHECK(error_of(file.path).find(file.path + ": has LMDB's data format 2, which is not read: mdb_dump") == 0);
  image.put<uint32_t>(0, 16, 0xDEC0EFBE);
  file.write(image.bytes.data(), image.bytes.size());
  CHECK(error_of(file.path).find(file.path + ": is an LMDB of a big-endian machine") == 0);
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
  file.write(reinterpret_cast<const uint8_t*>(pointer.data()), pointer.size());
  CHECK(error_of(file.path).find(file.path + ": is a pointer of Git LFS") == 0);
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
  for (const Layout& layout : {k64, k32, kNpm}) {
    const Image image = small_database(layout);
    for (size_t length = 0; length < image.bytes.size(); length += 61) {
      file.write(image.bytes.data(), length);
      CHECK(!error_of(file.path).empty(), "at length ", length);
    }
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
  for (const Layout& layout : {k64, k32, kNpm}) {
    TemporaryFile file;
    const Image image = small_database(layout);
    // The parts that hold structure: headers, both meta pages' fields, pointers and nodes.
    file.write(image.bytes.data(), image.bytes.size());
    int refused = 0;
    for (size_t at = 0; at < image.bytes.size(); ++at) {
      const size_t in_page = at % kPage, page = at / kPage;
      if (page > 5 || (in_page > 170 && in_page < kPage - 120)) continue;
      for (int bit = 0; bit < 8; ++bit) {
        file.write_byte(at, uint8_t(image.bytes[at] ^ 1 << bit));
        refused += !error_of(file.path).empty();
      }
      file.write_byte(at, image.bytes[at]);
    }
    CHECK(refused > 500, "only ", refused, " damages were noticed");
  }
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
