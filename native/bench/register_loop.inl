// Independent chains of one step over a vector type V: V::Register, V::start(int), V::step(sum, a, b),
// V::first(Register). Every step depends on its sum, so none can be left out or moved out of the loop. The sums
// are variables, held in registers: compilers like to store them for the end.
// No include guard: each instruction set includes it inside its own namespace and target.
template <class... Registers>
inline void keep_in_registers([[maybe_unused]] Registers&... registers) {
#if defined(__x86_64__)
  (([&] { asm volatile("" : "+v"(registers)); }()), ...);
#elif defined(__aarch64__)
  (([&] { asm volatile("" : "+w"(registers)); }()), ...);
#endif
}

template <class V>
int64_t register_loop() {
  using Register = typename V::Register;
  static_assert(kChains == 12);
  Register s0 = V::start(1), s1 = V::start(2), s2 = V::start(3), s3 = V::start(4), s4 = V::start(5);
  Register s5 = V::start(6), s6 = V::start(7), s7 = V::start(8), s8 = V::start(9), s9 = V::start(10);
  Register s10 = V::start(11), s11 = V::start(12);
  const Register a = V::start(1), b = V::start(2);
  for (int64_t i = 0; i < kRounds; ++i) {
    s0 = V::step(s0, a, b), s1 = V::step(s1, a, b), s2 = V::step(s2, a, b), s3 = V::step(s3, a, b);
    s4 = V::step(s4, a, b), s5 = V::step(s5, a, b), s6 = V::step(s6, a, b), s7 = V::step(s7, a, b);
    s8 = V::step(s8, a, b), s9 = V::step(s9, a, b), s10 = V::step(s10, a, b), s11 = V::step(s11, a, b);
    keep_in_registers(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11);
  }
  return V::first(s0) ^ V::first(s1) ^ V::first(s2) ^ V::first(s3) ^ V::first(s4) ^ V::first(s5) ^ V::first(s6) ^
         V::first(s7) ^ V::first(s8) ^ V::first(s9) ^ V::first(s10) ^ V::first(s11);
}

template <class V>
constexpr RegisterLoop loop_of(const char* instruction, int multiplies) {
  return {instruction, 2.0 * multiplies * kChains * double(kRounds), register_loop<V>};
}
