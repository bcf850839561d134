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

// The file's layout (LMDB 0.9, 64 bit, little-endian). Every page starts with a 16-byte header: u64 page
// number, u16 padding, u16 flags, then u16 lower and u16 upper (ends of the free room), or u32 pages where it
// overflows.
namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kDataVersion = 1;
constexpr size_t kPageHeader = 16;
constexpr size_t kNodeHeader = 8;
constexpr uint16_t kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04, kMeta = 0x08;
constexpr uint16_t kPageKind = 0x6f;  // the flags that say what a page is
constexpr uint16_t kBigData = 0x01, kSubData = 0x02, kDupData = 0x04;
constexpr uint64_t kNoPage = ~uint64_t{0};
constexpr int kMaxDepth = 32;  // LMDB's own bound

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

// What the reader needs of a meta page. The page size stands in the free list's padding field.
struct LmdbMeta {
  uint64_t page_size, pages, entries, root, transaction;
  int depth;
  uint16_t flags;
};

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
    LmdbMeta first, second;
    if (!read_meta(0, first)) fail(file_, ": is not an LMDB database");
    if (!read_meta(first.page_size, second) || second.page_size != first.page_size)
      fail(file_, ": is truncated or corrupt: it has no second header");
    // Transactions write the two meta pages in turn; the newer one counts.
    const LmdbMeta& meta = second.transaction > first.transaction ? second : first;
    page_size_ = meta.page_size;
    pages_ = meta.pages;
    entries_ = meta.entries;
    root_ = meta.root;
    depth_ = meta.depth;
    require(!(meta.flags & 0x04), file_, ": has duplicate keys, which Caffe's databases do not");
    if (root_ == kNoPage) {
      if (entries_ != 0) corrupt("the header counts records but has no root page");
    } else if (depth_ < 1 || depth_ > kMaxDepth) {
      corrupt("the header gives the tree a depth of " + std::to_string(depth_));
    }
    if (pages_ > file_size_ / page_size_) check_shorter_file();
  } catch (...) {
    close(descriptor_);
    throw;
  }
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
  uint8_t bytes[kPageHeader + 136];
  if (offset > file_size_ || file_size_ - offset < sizeof bytes) return false;
  read_at(offset, bytes, sizeof bytes);
  const uint8_t* m = bytes + kPageHeader;
  if (!(u16(bytes + 10) & kMeta) || u32(m) != kMagic) return false;
  require(u32(m + 4) == kDataVersion, file_, ": has LMDB's data format ", u32(m + 4), "; format 1 is read");
  const uint8_t* free_list = m + 24;
  const uint8_t* records = free_list + 48;
  meta.page_size = u32(free_list);
  meta.flags = u16(records + 4);
  meta.depth = u16(records + 6);
  meta.entries = u64(records + 32);
  meta.root = u64(records + 40);
  const uint64_t last_page = u64(m + 120);
  if (last_page >= uint64_t{1} << 48) corrupt("the header counts " + std::to_string(last_page) + " pages");
  meta.pages = last_page + 1;
  meta.transaction = u64(m + 128);
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
  const uint64_t lower = u16(page.bytes.data() + 12), upper = u16(page.bytes.data() + 14);
  const uint16_t kind = u16(page.bytes.data() + 10) & kPageKind;
  if (u64(page.bytes.data()) != page_number || (kind != kBranch && kind != kLeaf) || lower < kPageHeader ||
      lower > upper || upper > page_size_)
    corrupt("page " + std::to_string(page_number) + " is not a page of the tree");
  page.keys = int((lower - kPageHeader) / 2);
}

LmdbReader::Node LmdbReader::node(const Page& page, int index) const {
  const uint8_t* base = page.bytes.data();
  const size_t offset = u16(base + kPageHeader + 2 * size_t(index));
  const size_t room = page_size_ - std::min<size_t>(page_size_, offset);
  if (offset < kPageHeader || room < kNodeHeader)
    corrupt("page " + std::to_string(page.number) + ", node " + std::to_string(index));
  Node n;
  const uint8_t* start = base + offset;
  n.flags = u16(start + 4);
  n.key_size = u16(start + 6);
  n.size = u16(start) | uint64_t{u16(start + 2)} << 16;
  n.child = n.size | uint64_t{n.flags} << 32;
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
  uint64_t next = kNoPage;
  if (!started_) {
    started_ = true;
    next = root_;
  } else {
    while (!branches_.empty() && branches_.back().next == branches_.back().keys) branches_.pop_back();
    if (!branches_.empty()) next = node(branches_.back(), branches_.back().next++).child;
  }
  have_leaf_ = false;
  if (next == kNoPage) return false;
  for (;;) {
    const int level = int(branches_.size()) + 1;
    Page page;
    load(next, page);
    const bool is_leaf = u16(page.bytes.data() + 10) & kLeaf;
    if (is_leaf != (level == depth_))
      corrupt("page " + std::to_string(next) + " is at the wrong depth of the tree");
    if (page.keys == 0) corrupt("page " + std::to_string(next) + " has no keys");
    if (is_leaf) {
      leaf_ = std::move(page);
      return have_leaf_ = true;
    }
    next = node(page, page.next++).child;
    branches_.push_back(std::move(page));
  }
}

// Where a value of its own pages starts in the file; 0 where it lies in the leaf page itself.
uint64_t LmdbReader::locate(const Node& n) const {
  const auto key = [&] {
    return "record '" + std::string(reinterpret_cast<const char*>(n.key), n.key_size) + "'";
  };
  if (n.flags & (kSubData | kDupData)) corrupt(key() + " is a database of its own");
  if (!(n.flags & kBigData)) {
    if (n.size > n.room) corrupt(key() + " of " + std::to_string(n.size) + " bytes does not fit its page");
    return 0;
  }
  const uint64_t page = n.room >= 8 ? u64(n.data) : 0;
  if (page < 2 || page >= pages_ || n.size + kPageHeader > (pages_ - page) * page_size_)
    corrupt(key() + " of " + std::to_string(n.size) + " bytes lies outside");
  return page * page_size_ + kPageHeader;
}

LmdbRecord LmdbReader::record(const Node& n) const {
  LmdbRecord result;
  result.key.assign(reinterpret_cast<const char*>(n.key), n.key_size);
  result.size = n.size;
  const uint64_t offset = locate(n);
  if (offset) {
    uint8_t header[kPageHeader];
    read_at(offset - kPageHeader, header, sizeof header);
    if (u64(header) != offset / page_size_ || (u16(header + 10) & kPageKind) != kOverflow)
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
        const Node head = node(leaf_, 0);
        const std::string key(reinterpret_cast<const char*>(head.key), head.key_size);
        if (position_ > 0 && key <= last_key_) corrupt("keys out of order at '" + key + "'");
        const Node tail = node(leaf_, leaf_.keys - 1);
        last_key_.assign(reinterpret_cast<const char*>(tail.key), tail.key_size);
        if (last_key_ < key) corrupt("keys out of order at '" + key + "'");
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
