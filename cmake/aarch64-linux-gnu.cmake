# Cross-compiles for 64-bit Arm and runs what was built in an emulator (Debian: g++-aarch64-linux-gnu, qemu-user):
#   cmake -S . -B build-aarch64 --toolchain cmake/aarch64-linux-gnu.cmake
# scripts/test-aarch64.mjs does that and runs the tests of the fixed-point kernels.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# The emulator needs no foreign libraries this way.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
# With every extension that the emulator knows, dot products among them.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu max)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
