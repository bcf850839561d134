#include "lmdb_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace ristretto {

// How a file is laid out. Every page starts with a header: its page number, in data format 2 the transaction
// that wrote it, then u16 padding, u16 flags, and u16 lower and u16 upper (ends of the free room), or u32
// pages where it overflows. Offsets within a page count from `base`.
struct LmdbLayout {
  size_t word;  // bytes of a page number or count
  size_t header;
  size_t base;
  uint32_t version;
};

namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE, kSwappedMagic = 0xDEC0EFBE;
// A file starts with a meta page, whose magic number stands behind the header: its place tells the layouts
// apart.
constexpr LmdbLayout kLayouts[] = {{8, 16, 0, 1}, {4, 12, 0, 1}, {8, 24, 24, 2}};
constexpr size_t kNodeHeader = 8;
constexpr uint16_t kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04, kMeta = 0x08;
constexpr uint16_t kPageKind = 0x6f;  // the flags that say what a page is
constexpr uint16_t kBigData = 0x01, kSubData = 0x02, kDupData = 0x04;
constexpr uint16_t kReverseKey = 0x02, kIntegerKey = 0x08;  // flags of a tree
constexpr int kMaxDepth = 32;                               // LMDB's own bound

uint16_t u16(const uint8_t* p) {
  uint16_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
uint32_t u32(const uint8_t* p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}
// Follows a failed system call at once, before errno changes.
[[noreturn]] void fail_with_errno(const std::string& file) {
  const int code = errno;
  fail(file, ": ", strerror(code));
}

uint64_t u64(const uint8_t* p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

}  // namespace

// Where the records of a database lie. The page size stands in the free list's padding field.
struct LmdbTree {
  uint64_t padding, entries, root;
  int depth;
  uint16_t flags;
};

// What the reader needs of a meta page.
struct LmdbMeta {
  uint64_t page_size, pages, transaction;
  LmdbTree records;
};

namespace {

// A tree's description: u32 padding, u16 flags, u16 depth, then words: branch, leaf and overflow pages,
// entries, root.
size_t tree_bytes(const LmdbLayout& layout) { return 8 + 5 * layout.word; }

// A text as people write names: UTF-8 without control characters but tabs.
bool is_text(const std::string& bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const uint8_t lead = uint8_t(bytes[i]);
    if (lead < 0x20 && lead != '\t') return false;
    const size_t more = lead < 0x80   ? 0
                        : lead < 0xc2 ? 9
                        : lead < 0xe0 ? 1
                        : lead < 0xf0 ? 2
                        : lead < 0xf5 ? 3
                                      : 9;
    if (more > 3 || more >= bytes.size() - i) return false;
    for (size_t k = 1; k <= more; ++k)
      if ((uint8_t(bytes[i + k]) & 0xc0) != 0x80) return false;
    const uint8_t second = more ? uint8_t(bytes[i + 1]) : 0;
    // Too long a form, a surrogate, or beyond the last character.
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
      return false;
    i += more + 1;
  }
  return true;
}

uint64_t integer_of(const std::string& key) {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(key.data());
  return key.size() == 4 ? u32(bytes) : u64(bytes);
}

}  // namespace

LmdbReader::LmdbReader(const std::string& path) : file_(path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) fail_with_errno(path);
  if (S_ISDIR(status.st_mode)) {
    file_ = path + (path.back() == '/' ? "data.mdb" : "/data.mdb");
    if (stat(file_.c_str(), &status) != 0) fail_with_errno(file_);
  }
  require(S_ISREG(status.st_mode), file_, ": is not a file");
  file_size_ = uint64_t(status.st_size);
  require(file_size_ > 0, file_, ": is empty");
  descriptor_ = open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_with_errno(file_);
  try {
    open_file();
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

void LmdbReader::open_file() {
  find_layout();
  LmdbMeta first, second;
  if (!read_meta(0, first)) fail(file_, ": is not an LMDB database");
  if (!read_meta(first.page_size, second) || second.page_size != first.page_size)
    fail(file_, ": is truncated or corrupt: it has no second header");
  // Transactions write the two meta pages in turn; the newer one counts.
  const LmdbMeta& meta = second.transaction > first.transaction ? second : first;
  page_size_ = meta.page_size;
  pages_ = meta.pages;
  take(meta.records);
  const bool is_short = pages_ > file_size_ / page_size_;
  // The pages that are there will do to find a named database.
  const uint64_t promised = pages_;
  if (is_short) pages_ = file_size_ / page_size_;
  enter_named(is_short);
  pages_ = promised;
  if (is_short) check_shorter_file();
}

// Throws, with what the file is where that can be told, unless it begins as one of the layouts does.
void LmdbReader::find_layout() {
  uint8_t head[32] = {};
  read_at(0, head, size_t(std::min<uint64_t>(sizeof head, file_size_)));
  for (const LmdbLayout& layout : kLayouts) {
    const uint32_t magic = u32(head + layout.header);
    if (magic == kSwappedMagic)
      fail(file_,
           ": is an LMDB of a big-endian machine, which is not read: run mdb_dump there and mdb_load here");
    if (magic == kMagic) layout_ = &layout;
  }
  if (layout_) return;
  if (memcmp(head, "version https://git-lfs", 23) == 0)
    fail(file_, ": is a pointer of Git LFS, not the database: run git lfs pull");
  fail(file_, ": is not an LMDB database");
}

uint64_t LmdbReader::word(const uint8_t* bytes) const { return layout_->word == 4 ? u32(bytes) : u64(bytes); }

uint64_t LmdbReader::no_page() const { return layout_->word == 4 ? ~uint32_t{0} : ~uint64_t{0}; }

LmdbTree LmdbReader::tree(const uint8_t* bytes) const {
  LmdbTree t;
  t.padding = u32(bytes);
  t.flags = u16(bytes + 4);
  t.depth = u16(bytes + 6);
  t.entries = word(bytes + 8 + 3 * layout_->word);
  t.root = word(bytes + 8 + 4 * layout_->word);
  return t;
}

// Makes a tree's records those that are read.
void LmdbReader::take(const LmdbTree& t) {
  entries_ = t.entries;
  root_ = t.root;
  depth_ = t.depth;
  flags_ = t.flags;
  if (root_ == no_page()) {
    if (entries_ != 0) corrupt("the header counts records but has no root page");
  } else if (depth_ < 1 || depth_ > kMaxDepth) {
    corrupt("the header gives the tree a depth of " + std::to_string(depth_));
  }
}

// Where the file holds named databases instead of records: goes on with the only one. Of a file that is too
// short the root may be missing, which check_shorter_file tells.
void LmdbReader::enter_named(bool is_short) {
  if (entries_ == 0 || depth_ != 1) return;
  try {
    to_next_leaf();
  } catch (const Error&) {
    if (!is_short) throw;
    return restart();
  }
  std::string names;
  int named = 0;
  for (int i = 0; i < leaf_.keys; ++i) {
    const Node n = node(leaf_, i);
    if ((n.flags & (kSubData | kDupData)) != kSubData) continue;
    if (++named <= 5) names += (named > 1 ? ", '" : "'") + key_text(key_of(n)) + "'";
  }
  if (named > 0) {
    const Node n = node(leaf_, 0);
    if (leaf_.keys > 1)
      fail(file_, ": holds ", named, " named database", named == 1 ? "" : "s", " (", names,
           named > 5 ? ", …" : "", ")", named < leaf_.keys ? " beside records" : "",
           "; one is read: copy it to a file of its own, mdb_dump -s NAME OLD | mdb_load NEW");
    if (n.size > n.room || n.size < tree_bytes(*layout_))
      corrupt("named database " + names + " has no description");
    take(tree(n.data));
  }
  restart();
}

// As strcmp says, by the order that the database keeps.
int LmdbReader::compare(const std::string& a, const std::string& b) const {
  if (flags_ & kIntegerKey) {
    const uint64_t left = integer_of(a), right = integer_of(b);
    return left < right ? -1 : left > right;
  }
  if (flags_ & kReverseKey)
    return std::string(a.rbegin(), a.rend()).compare(std::string(b.rbegin(), b.rend()));
  return a.compare(b);
}

std::string LmdbReader::key_of(const Node& n) const {
  if ((flags_ & kIntegerKey) && n.key_size != 4 && n.key_size != 8)
    corrupt("a key of " + std::to_string(n.key_size) + " bytes where keys are whole numbers");
  return std::string(reinterpret_cast<const char*>(n.key), n.key_size);
}

std::string LmdbReader::key_text(const std::string& key) const {
  if (flags_ & kIntegerKey) {
    // Of one length, so that their order as text is the order of the numbers.
    const std::string digits = std::to_string(integer_of(key));
    return std::string((key.size() == 4 ? 10 : 20) - digits.size(), '0') + digits;
  }
  if (is_text(key)) return key;
  static const char* const kHex = "0123456789abcdef";
  std::string text = "0x";
  for (const char c : key) text += {kHex[uint8_t(c) >> 4], kHex[uint8_t(c) & 15]};
  return text;
}

LmdbReader::~LmdbReader() {
  if (descriptor_ >= 0) close(descriptor_);
}

// A file may lack pages at its end that are free; otherwise it is truncated.
void LmdbReader::check_shorter_file() {
  const uint64_t promised = pages_;
  pages_ = file_size_ / page_size_;
  try {
    for (uint64_t seen = 0; seen < entries_; seen += uint64_t(leaf_.keys)) {
      if (!to_next_leaf()) break;
      for (int i = 0; i < leaf_.keys; ++i) locate(node(leaf_, i));
    }
  } catch (const Error&) {
    fail(file_, ": is truncated: its header counts ", promised, " pages of ", page_size_,
         " bytes, the file has ", file_size_, " bytes");
  }
  restart();
}

void LmdbReader::corrupt(const std::string& what) const { fail(file_, ": is corrupt: ", what); }

void LmdbReader::read_at(uint64_t offset, void* into, size_t bytes) const {
  uint8_t* target = static_cast<uint8_t*>(into);
  while (bytes > 0) {
    const ssize_t got = pread(descriptor_, target, bytes, off_t(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_with_errno(file_);
    require(got > 0, file_, ": ends early, at byte ", offset);
    target += got;
    offset += uint64_t(got);
    bytes -= size_t(got);
  }
}

// False where there is no valid meta page at the offset.
bool LmdbReader::read_meta(uint64_t offset, LmdbMeta& meta) const {
  const size_t header = layout_->header, width = layout_->word, trees = 8 + 2 * width;
  std::vector<uint8_t> bytes(header + trees + 2 * tree_bytes(*layout_) + 2 * width);
  if (offset > file_size_ || file_size_ - offset < bytes.size()) return false;
  read_at(offset, bytes.data(), bytes.size());
  const uint8_t* m = bytes.data() + header;
  if (!(u16(m - 6) & kMeta) || u32(m) != kMagic) return false;
  const uint32_t version = u32(m + 4) & (layout_->version == 1 ? ~uint32_t{0} : 0xffff);
  require(version == layout_->version, file_, ": has LMDB's data format ", version,
          ", which is not read: mdb_dump of the LMDB that wrote it and mdb_load of LMDB 0.9 convert it");
  const LmdbTree free_list = tree(m + trees);
  meta.records = tree(m + trees + tree_bytes(*layout_));
  meta.page_size = free_list.padding;
  const uint8_t* end = m + trees + 2 * tree_bytes(*layout_);
  const uint64_t last_page = word(end);
  if (last_page >= uint64_t{1} << 48) corrupt("the header counts " + std::to_string(last_page) + " pages");
  meta.pages = last_page + 1;
  meta.transaction = word(end + width);
  if (meta.page_size < 512 || meta.page_size > 65536 || (meta.page_size & (meta.page_size - 1)))
    corrupt("the header gives a page size of " + std::to_string(meta.page_size));
  return true;
}

void LmdbReader::load(uint64_t page_number, Page& page) const {
  if (page_number < 2 || page_number >= pages_)
    corrupt("a reference to page " + std::to_string(page_number) + " of " + std::to_string(pages_));
  page.bytes.resize(page_size_);
  read_at(page_number * page_size_, page.bytes.data(), page_size_);
  page.number = page_number;
  page.next = 0;
  const uint8_t* fields = page.bytes.data() + layout_->header - 6;
  const uint64_t lower = u16(fields + 2) + layout_->base, upper = u16(fields + 4) + layout_->base;
  const uint16_t kind = u16(fields) & kPageKind;
  if (word(page.bytes.data()) != page_number || (kind != kBranch && kind != kLeaf) ||
      lower < layout_->header || lower > upper || upper > page_size_)
    corrupt("page " + std::to_string(page_number) + " is not a page of the tree");
  page.is_leaf = kind == kLeaf;
  page.keys = int((lower - layout_->header) / 2);
}

LmdbReader::Node LmdbReader::node(const Page& page, int index) const {
  const uint8_t* base = page.bytes.data();
  const size_t offset = u16(base + layout_->header + 2 * size_t(index)) + layout_->base;
  const size_t room = page_size_ - std::min<size_t>(page_size_, offset);
  if (offset < layout_->header || room < kNodeHeader)
    corrupt("page " + std::to_string(page.number) + ", node " + std::to_string(index));
  Node n;
  const uint8_t* start = base + offset;
  n.flags = u16(start + 4);
  n.key_size = u16(start + 6);
  n.size = u16(start) | uint64_t{u16(start + 2)} << 16;
  n.child = layout_->word == 4 ? n.size : n.size | uint64_t{n.flags} << 32;
  if (n.key_size > room - kNodeHeader)
    corrupt("page " + std::to_string(page.number) + ", key of node " + std::to_string(index));
  n.key = start + kNodeHeader;
  n.data = n.key + n.key_size;
  n.room = room - kNodeHeader - n.key_size;
  return n;
}

void LmdbReader::restart() {
  branches_.clear();
  leaf_ = Page();
  have_leaf_ = started_ = false;
  position_ = 0;
  last_key_.clear();
}

bool LmdbReader::to_next_leaf() {
  uint64_t next = no_page();
  if (!started_) {
    started_ = true;
    next = root_;
  } else {
    while (!branches_.empty() && branches_.back().next == branches_.back().keys) branches_.pop_back();
    if (!branches_.empty()) next = node(branches_.back(), branches_.back().next++).child;
  }
  have_leaf_ = false;
  if (next == no_page()) return false;
  for (;;) {
    const int level = int(branches_.size()) + 1;
    Page page;
    load(next, page);
    if (page.is_leaf != (level == depth_))
      corrupt("page " + std::to_string(next) + " is at the wrong depth of the tree");
    if (page.keys == 0) corrupt("page " + std::to_string(next) + " has no keys");
    if (page.is_leaf) {
      leaf_ = std::move(page);
      return have_leaf_ = true;
    }
    next = node(page, page.next++).child;
    branches_.push_back(std::move(page));
  }
}

// Where a value of its own pages starts in the file; 0 where it lies in the leaf page itself.
uint64_t LmdbReader::locate(const Node& n) const {
  const auto name = [&] { return "record '" + key_text(key_of(n)) + "'"; };
  if (n.flags & kDupData)
    fail(file_, ": ", name(),
         " has several values (MDB_DUPSORT), which is not read: store each under a key of its own");
  if (n.flags & kSubData) corrupt(name() + " is a database of its own");
  if (!(n.flags & kBigData)) {
    if (n.size > n.room) corrupt(name() + " of " + std::to_string(n.size) + " bytes does not fit its page");
    return 0;
  }
  const uint64_t page = n.room >= layout_->word ? word(n.data) : 0;
  if (page < 2 || page >= pages_ || n.size + layout_->header > (pages_ - page) * page_size_)
    corrupt(name() + " of " + std::to_string(n.size) + " bytes lies outside");
  return page * page_size_ + layout_->header;
}

LmdbRecord LmdbReader::record(const Node& n) const {
  LmdbRecord result;
  result.key = key_text(key_of(n));
  result.size = n.size;
  const uint64_t offset = locate(n);
  if (offset) {
    uint8_t header[32];
    read_at(offset - layout_->header, header, layout_->header);
    if (word(header) != (offset - layout_->header) / page_size_ ||
        (u16(header + layout_->header - 6) & kPageKind) != kOverflow)
      corrupt("the pages of record '" + result.key + "' are not its own");
  }
  result.value.reset(static_cast<uint8_t*>(malloc(std::max<size_t>(1, n.size))));
  require(result.value != nullptr, file_, ": no memory for a record of ", n.size, " bytes");
  if (offset) {
    read_at(offset, result.value.get(), n.size);
  } else {
    memcpy(result.value.get(), n.data, n.size);
  }
  return result;
}

std::vector<LmdbRecord> LmdbReader::read(uint64_t first, uint64_t count) {
  std::vector<LmdbRecord> records;
  if (first >= entries_ || count == 0) return records;
  count = std::min(count, entries_ - first);
  try {
    if (first < position_) restart();
    while (records.size() < count) {
      if (!have_leaf_ || leaf_.next == leaf_.keys) {
        if (!to_next_leaf())
          corrupt("the header counts " + std::to_string(entries_) + " records, the tree holds " +
                  std::to_string(position_));
        // Keys rise through the whole tree; this also ends every walk of a damaged one.
        const std::string key = key_of(node(leaf_, 0));
        if (position_ > 0 && compare(key, last_key_) <= 0)
          corrupt("keys out of order at '" + key_text(key) + "'");
        last_key_ = key_of(node(leaf_, leaf_.keys - 1));
        if (compare(last_key_, key) < 0) corrupt("keys out of order at '" + key_text(key) + "'");
      }
      if (position_ < first) {
        const int skipped = int(std::min<uint64_t>(uint64_t(leaf_.keys - leaf_.next), first - position_));
        leaf_.next += skipped;
        position_ += uint64_t(skipped);
        continue;
      }
      records.push_back(record(node(leaf_, leaf_.next)));
      ++leaf_.next;
      ++position_;
    }
  } catch (...) {
    restart();  // a half-made step must not be continued
    throw;
  }
  return records;
}

}  // namespace ristretto
