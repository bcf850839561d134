// Reads LMDB databases: those of LMDB 0.9 on 64 bits, as Caffe writes them, on 32 bits, and those of the npm
// package `lmdb` (data format 2). Records come in the database's own order of keys. A file that holds one
// named database and nothing else is read as that one.
//
// LMDB itself maps the file and trusts every page number and offset in it, so a truncated or damaged file
// ends the process. This reader takes pages with pread, checks each before it is used, and needs no lock
// file, so it also reads folders that cannot be written to. A file that is being written meanwhile is not
// supported.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace ristretto {

// Memory of one record's value, from malloc so that it can be handed on without a copy.
struct FreeMemory {
  void operator()(uint8_t* memory) const { free(memory); }
};

struct LmdbRecord {
  // As text: whole numbers (MDB_INTEGERKEY) in decimal, of one length; bytes that are no text in hexadecimal.
  std::string key;
  std::unique_ptr<uint8_t, FreeMemory> value;
  size_t size = 0;
};

struct LmdbLayout;
struct LmdbMeta;
struct LmdbTree;

class LmdbReader {
 public:
  // `path`: the folder that holds data.mdb, or the file. Throws Error naming the path.
  explicit LmdbReader(const std::string& path);
  ~LmdbReader();
  LmdbReader(const LmdbReader&) = delete;
  LmdbReader& operator=(const LmdbReader&) = delete;

  // Number of records.
  uint64_t entries() const { return entries_; }
  const std::string& file() const { return file_; }

  // The records [first, first + count) in key order, fewer at the end. Reading on from where the last call
  // ended costs nothing extra; elsewhere it walks the leaf pages from there or from the start. One caller at
  // a time. Throws Error naming the file and what is wrong in it.
  std::vector<LmdbRecord> read(uint64_t first, uint64_t count);

 private:
  struct Page {
    uint64_t number = ~uint64_t{0};
    std::vector<uint8_t> bytes;
    int keys = 0;
    bool is_leaf = false;
    int next = 0;  // the key that is visited next
  };
  struct Node {
    uint64_t child;  // branch pages
    uint64_t size;   // leaf pages: of the value
    uint16_t flags;
    const uint8_t* key;
    size_t key_size;
    const uint8_t* data;
    size_t room;  // bytes from data to the end of the page
  };

  [[noreturn]] void corrupt(const std::string& what) const;
  void open_file();
  void find_layout();
  uint64_t word(const uint8_t* bytes) const;  // as wide as page numbers are
  uint64_t no_page() const;
  LmdbTree tree(const uint8_t* bytes) const;
  void take(const LmdbTree& tree);
  void enter_named(bool is_short);
  int compare(const std::string& a, const std::string& b) const;
  std::string key_of(const Node& node) const;
  std::string key_text(const std::string& key) const;
  void read_at(uint64_t offset, void* into, size_t bytes) const;
  bool read_meta(uint64_t offset, LmdbMeta& meta) const;
  void load(uint64_t page_number, Page& page) const;
  Node node(const Page& page, int index) const;
  void restart();
  bool to_next_leaf();  // fills leaf_; false at the end
  uint64_t locate(const Node& node) const;
  LmdbRecord record(const Node& node) const;
  void check_shorter_file();

  std::string file_;
  int descriptor_ = -1;
  uint64_t file_size_ = 0;
  uint64_t page_size_ = 0;
  uint64_t entries_ = 0;
  uint64_t root_ = 0;
  uint64_t pages_ = 0;  // pages that may be referred to
  int depth_ = 0;
  uint16_t flags_ = 0;
  const LmdbLayout* layout_ = nullptr;

  std::vector<Page> branches_;  // from the root down to the leaf's parent
  Page leaf_;
  bool have_leaf_ = false, started_ = false;
  uint64_t position_ = 0;  // ordinal of leaf_.next
  std::string last_key_;
};

}  // namespace ristretto
