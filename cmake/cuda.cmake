# ristretto_cuda: kernels and runtime for NVIDIA GPUs, where nvcc is found.
# ristretto_cuda_emulated: the same kernels' sources for the host executor (native/cuda/executor.h), on any machine.
option(RISTRETTO_CUDA "build for NVIDIA GPUs where nvcc is found" ON)
set(RISTRETTO_CUDA_ARCHITECTURES "" CACHE STRING
  "as CMAKE_CUDA_ARCHITECTURES; 'present': for the GPUs of this machine; empty: for all, and PTX of the newest")

file(GLOB cuda_kernels CONFIGURE_DEPENDS native/cuda/op/*.cu)

# A source is compiled for one language in a folder's scope: the executor's copy is a file that includes it.
set(emulated_kernels)
foreach(kernel ${cuda_kernels})
  get_filename_component(name ${kernel} NAME_WE)
  set(copy ${CMAKE_BINARY_DIR}/emulated/${name}.cpp)
  file(CONFIGURE OUTPUT ${copy} CONTENT "#include \"${kernel}\"\n")
  list(APPEND emulated_kernels ${copy})
endforeach()
add_library(ristretto_cuda_emulated STATIC EXCLUDE_FROM_ALL native/cuda/context.cpp native/cuda/context_emulated.cpp
  native/cuda/executor.cpp ${emulated_kernels})
target_compile_options(ristretto_cuda_emulated PRIVATE -Wno-unknown-pragmas)
target_compile_definitions(ristretto_cuda_emulated PUBLIC RISTRETTO_CUDA RISTRETTO_CUDA_EMULATED)
target_link_libraries(ristretto_cuda_emulated PUBLIC ristretto_core PRIVATE ristretto_options)

if(RISTRETTO_CUDA AND NOT RISTRETTO_SANITIZE)
  include(CheckLanguage)
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(RISTRETTO_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
    if(RISTRETTO_NVCC)
      set(CMAKE_CUDA_COMPILER ${RISTRETTO_NVCC})
    endif()
  endif()
  check_language(CUDA)
endif()
if(RISTRETTO_CUDA AND CMAKE_CUDA_COMPILER AND NOT RISTRETTO_SANITIZE)
  set(CMAKE_CUDA_ARCHITECTURES 75)  # for the compiler's test alone
  enable_language(CUDA)
  if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake may be older than this nvcc
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
  endif()
  set(architectures ${RISTRETTO_CUDA_ARCHITECTURES})
  if(NOT architectures)
    set(architectures 75-real 80-real 86-real 89-real 90a-real 100-real 100-virtual)
  elseif(architectures STREQUAL "present")
    set(architectures)
    find_program(NVIDIA_SMI nvidia-smi)
    if(NVIDIA_SMI)
      execute_process(COMMAND ${NVIDIA_SMI} --query-gpu=compute_cap --format=csv,noheader OUTPUT_VARIABLE found
        ERROR_QUIET)
      string(REGEX MATCHALL "[0-9]+\\.[0-9]+" found "${found}")
      list(REMOVE_DUPLICATES found)
      foreach(capability ${found})
        string(REPLACE "." "" capability ${capability})
        string(REGEX REPLACE "^90$" "90a" capability ${capability})
        list(APPEND architectures ${capability}-real)
      endforeach()
    endif()
    if(NOT architectures)
      set(architectures 80)  # and its PTX, for what is newer
    endif()
  endif()
  add_library(ristretto_cuda STATIC native/cuda/context.cpp native/cuda/context.cu ${cuda_kernels})
  set_target_properties(ristretto_cuda PROPERTIES CUDA_ARCHITECTURES "${architectures}"
    CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
  target_compile_options(ristretto_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr --fmad=false --threads=0 -Xcompiler=-Wall,-Wno-unknown-pragmas>)
  target_compile_definitions(ristretto_cuda PUBLIC RISTRETTO_CUDA)
  target_link_libraries(ristretto_cuda PUBLIC ristretto_core)
  message(STATUS "ristretto: CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${architectures}")
else()
  message(STATUS "ristretto: CPU only")
endif()
