#include "lmdb.h"

#include <lmdb.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "background.h"
#include "core/data/lmdb_reader.h"
#include "core/error.h"

namespace ristretto::binding {

namespace {

// A whole number of at most 2^53 that is not negative.
uint64_t whole(const Napi::Value& value, const char* what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= 9007199254740992.0 && number == double(uint64_t(number))))
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a whole number, not negative");
  return uint64_t(number);
}

std::string path_of(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || info[0].As<Napi::String>().Utf8Value().empty())
    throw Napi::TypeError::New(info.Env(), "a path is needed");
  return info[0].As<Napi::String>().Utf8Value();
}

// Shared with the work in flight, so that closing or collecting the object never pulls it away.
struct SharedReader {
  std::mutex mutex;
  std::unique_ptr<LmdbReader> reader;
};

// new LmdbReader(path): entries, read(first, count) -> Promise<{key, value}[]>, close().
class ReaderHandle : public Napi::ObjectWrap<ReaderHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "LmdbReader",
        {InstanceAccessor<&ReaderHandle::entries>("entries"), InstanceMethod<&ReaderHandle::read>("read"),
         InstanceMethod<&ReaderHandle::close>("close")});
  }

  explicit ReaderHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReaderHandle>(info) {
    try {
      shared_->reader = std::make_unique<LmdbReader>(path_of(info));
    } catch (const Error& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
    entries_ = shared_->reader->entries();
  }

 private:
  Napi::Value entries(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), double(entries_));
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const uint64_t first = whole(info[0], "first"), count = whole(info[1], "count");
    auto records = std::make_shared<std::vector<LmdbRecord>>();
    return Background::start(
        info.Env(), info.This(),
        [shared = shared_, records, first, count] {
          std::lock_guard<std::mutex> lock(shared->mutex);
          require(shared->reader != nullptr, "the database is closed");
          *records = shared->reader->read(first, count);
        },
        [records](Napi::Env env) -> Napi::Value {
          Napi::Array list = Napi::Array::New(env, records->size());
          uint32_t i = 0;
          for (LmdbRecord& record : *records) {
            Napi::Object entry = Napi::Object::New(env);
            entry.Set("key", record.key);
            entry.Set("value", Napi::Buffer<uint8_t>::New(env, record.value.release(), record.size,
                                                          [](Napi::Env, uint8_t* memory) { free(memory); }));
            list.Set(i++, entry);
          }
          return list;
        });
  }

  void close(const Napi::CallbackInfo&) {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->reader.reset();
  }

  std::shared_ptr<SharedReader> shared_ = std::make_shared<SharedReader>();
  uint64_t entries_ = 0;
};

struct SharedWriter {
  std::mutex mutex;
  std::string path;
  MDB_env* environment = nullptr;

  ~SharedWriter() { close(); }
  void close() {
    if (environment) mdb_env_close(environment);
    environment = nullptr;
  }
  void check(int code, const char* action) const {
    require(code == MDB_SUCCESS, path, ": ", action, ": ", mdb_strerror(code));
  }
  // All records in one transaction; false where the map is too small for them.
  bool put(const std::vector<std::pair<std::string, std::string>>& records) {
    MDB_txn* transaction = nullptr;
    check(mdb_txn_begin(environment, nullptr, 0, &transaction), "begin");
    MDB_dbi database = 0;
    int code = mdb_dbi_open(transaction, nullptr, 0, &database);
    for (const auto& [key, value] : records) {
      if (code != MDB_SUCCESS) break;
      MDB_val k{key.size(), const_cast<char*>(key.data())}, v{value.size(), const_cast<char*>(value.data())};
      code = mdb_put(transaction, database, &k, &v, 0);
      if (code == MDB_BAD_VALSIZE) {
        mdb_txn_abort(transaction);
        fail(path, ": key '", key, "': a key has 1 to ", mdb_env_get_maxkeysize(environment), " bytes");
      }
    }
    if (code == MDB_SUCCESS) {
      code = mdb_txn_commit(transaction);
    } else {
      mdb_txn_abort(transaction);
    }
    if (code == MDB_MAP_FULL) return false;
    check(code, "write");
    return true;
  }
  void put_growing(const std::vector<std::pair<std::string, std::string>>& records) {
    require(environment != nullptr, path, ": the database is closed");
    while (!put(records)) {
      MDB_envinfo info;
      check(mdb_env_info(environment, &info), "info");
      check(mdb_env_set_mapsize(environment, info.me_mapsize * 2), "grow the map");
    }
  }
};

// new LmdbWriter(folder): makes the folder, which must not exist. put([key, value][]) -> Promise, one
// transaction; close().
class WriterHandle : public Napi::ObjectWrap<WriterHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "LmdbWriter",
        {InstanceMethod<&WriterHandle::put>("put"), InstanceMethod<&WriterHandle::close>("close")});
  }

  explicit WriterHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<WriterHandle>(info) {
    shared_->path = path_of(info);
    const std::string& path = shared_->path;
    if (mkdir(path.c_str(), 0755) != 0) {
      const int code = errno;
      throw Napi::Error::New(info.Env(), path + ": cannot be made: " + strerror(code));
    }
    try {
      shared_->check(mdb_env_create(&shared_->environment), "create");
      shared_->check(mdb_env_set_mapsize(shared_->environment, size_t{64} << 20), "set the map's size");
      shared_->check(mdb_env_open(shared_->environment, path.c_str(), 0, 0664), "open");
    } catch (const Error& e) {
      throw Napi::Error::New(info.Env(), e.what());
    }
  }

 private:
  Napi::Value put(const Napi::CallbackInfo& info) {
    if (!info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "put takes an array of [key, value]");
    Napi::Array list = info[0].As<Napi::Array>();
    auto records = std::make_shared<std::vector<std::pair<std::string, std::string>>>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      Napi::Value entry = list.Get(i);
      Napi::Value key = entry.IsArray() ? entry.As<Napi::Array>().Get(0u) : info.Env().Undefined();
      Napi::Value value = entry.IsArray() ? entry.As<Napi::Array>().Get(1u) : info.Env().Undefined();
      if (!key.IsString() || !value.IsTypedArray() ||
          value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
        throw Napi::TypeError::New(info.Env(), "put takes an array of [string, Uint8Array]");
      Napi::Uint8Array bytes = value.As<Napi::Uint8Array>();
      records->emplace_back(key.As<Napi::String>().Utf8Value(),
                            std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()));
    }
    return Background::start(
        info.Env(), info.This(),
        [shared = shared_, records] {
          std::lock_guard<std::mutex> lock(shared->mutex);
          shared->put_growing(*records);
        },
        [](Napi::Env env) { return env.Undefined(); });
  }

  void close(const Napi::CallbackInfo&) {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    shared_->close();
  }

  std::shared_ptr<SharedWriter> shared_ = std::make_shared<SharedWriter>();
};

}  // namespace

void define_lmdb(Napi::Env env, Napi::Object exports) {
  exports.Set("LmdbReader", ReaderHandle::define(env));
  exports.Set("LmdbWriter", WriterHandle::define(env));
}

}  // namespace ristretto::binding
