// The sum of all 64-bit words of `blocks` blocks of eight vectors, at any address: V::Register, V::load(const char*),
// V::add(a, b), V::zero(), V::first(Register). Variables, not an array, as in register_loop.inl.
// No include guard: each instruction set includes it inside its own namespace and target.
template <class V>
int64_t read_loop(const char* at, int64_t blocks) {
  constexpr int64_t kVector = sizeof(typename V::Register);
  typename V::Register s0 = V::zero(), s1 = s0, s2 = s0, s3 = s0;
  for (int64_t i = 0; i < blocks; ++i, at += 8 * kVector) {
    s0 = V::add(s0, V::add(V::load(at), V::load(at + kVector)));
    s1 = V::add(s1, V::add(V::load(at + 2 * kVector), V::load(at + 3 * kVector)));
    s2 = V::add(s2, V::add(V::load(at + 4 * kVector), V::load(at + 5 * kVector)));
    s3 = V::add(s3, V::add(V::load(at + 6 * kVector), V::load(at + 7 * kVector)));
  }
  return V::first(V::add(V::add(s0, s1), V::add(s2, s3)));
}
