# ristretto_cuda: kernels and runtime for NVIDIA GPUs, where nvcc is found.
# ristretto_cuda_emulated: the same kernels' sources for the host executor (native/cuda/executor.h), on any machine.
option(RISTRETTO_CUDA "build for NVIDIA GPUs where nvcc is found" ON)
set(RISTRETTO_CUDA_ARCHITECTURES "" CACHE STRING
  "as CMAKE_CUDA_ARCHITECTURES; 'present': for the GPUs of this machine; empty: for all, and PTX of the newest")

file(GLOB_RECURSE cuda_kernels CONFIGURE_DEPENDS native/cuda/op/*.cu)

# A source is compiled for one language in a folder's scope: the executor's copy is a file that includes it.
function(ristretto_emulated_kernels target)
  foreach(kernel ${ARGN})
    get_filename_component(name ${kernel} NAME_WE)
    set(copy ${CMAKE_BINARY_DIR}/emulated/${name}.cpp)
    file(CONFIGURE OUTPUT ${copy} CONTENT "#include \"${kernel}\"\n")
    target_sources(${target} PRIVATE ${copy})
  endforeach()
  # They run on small problems, and often have to be compiled.
  target_compile_options(${target} PRIVATE -Wno-unknown-pragmas -O1)
endfunction()
add_library(ristretto_cuda_emulated STATIC EXCLUDE_FROM_ALL native/cuda/context.cpp native/cuda/context_emulated.cpp
  native/cuda/event_emulated.cpp native/cuda/executor.cpp native/cuda/pinned_memory_emulated.cpp
  native/cuda/tensor_map.cpp native/cuda/tensor_map_emulated.cpp)
ristretto_emulated_kernels(ristretto_cuda_emulated ${cuda_kernels})
target_compile_definitions(ristretto_cuda_emulated PUBLIC RISTRETTO_CUDA RISTRETTO_CUDA_EMULATED)
target_link_libraries(ristretto_cuda_emulated PUBLIC ristretto_core PRIVATE ristretto_options)

# Why there are no kernels for a device; the program says it where one is asked for.
set(ristretto_no_cuda)
if("$ENV{RISTRETTO_CUDA}" STREQUAL "OFF" OR NOT RISTRETTO_CUDA)
  set(ristretto_no_cuda "RISTRETTO_CUDA=OFF left them out when it was made")
elseif(RISTRETTO_SANITIZE)
  set(ristretto_no_cuda "it was made with sanitizers")
elseif(CMAKE_CROSSCOMPILING)
  set(ristretto_no_cuda "it was made on a machine of another kind")
else()
  if(NOT CMAKE_CUDA_COMPILER)
    # Tried in a project of its own: one that is broken must not end this one.
    include(CheckLanguage)
    if(NOT DEFINED ENV{CUDACXX})
      find_program(RISTRETTO_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
      if(RISTRETTO_NVCC)
        set(ENV{CUDACXX} ${RISTRETTO_NVCC})
      endif()
    endif()
    if(NOT DEFINED ENV{CUDAARCHS})
      set(ENV{CUDAARCHS} 75)  # CMake's own choice may be older than what nvcc knows
    endif()
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER AND NOT "$ENV{CUDACXX}" STREQUAL "")
      set(ristretto_no_cuda "nvcc ($ENV{CUDACXX}) did not compile when it was made")
      message(WARNING "ristretto: $ENV{CUDACXX} does not compile (see ${CMAKE_BINARY_DIR}/CMakeFiles/CheckCUDA); CPU only")
    elseif(NOT CMAKE_CUDA_COMPILER)
      set(ristretto_no_cuda "nvcc was not found when it was made")
    endif()
  endif()
  if(CMAKE_CUDA_COMPILER)
    execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --version OUTPUT_VARIABLE version ERROR_QUIET)
    # The runtime's functions for memory have other parameters before.
    if(NOT version MATCHES "release ([0-9]+)" OR CMAKE_MATCH_1 LESS 13)
      set(ristretto_no_cuda "nvcc (${CMAKE_CUDA_COMPILER}) was older than 13 when it was made")
    endif()
  endif()
endif()
if(NOT ristretto_no_cuda)
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
  function(ristretto_device_kernels target)
    target_sources(${target} PRIVATE ${ARGN})
    set_target_properties(${target} PROPERTIES CUDA_ARCHITECTURES "${architectures}"
      CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr --fmad=false --threads=0 -Xcompiler=-Wall,-Wno-unknown-pragmas>)
  endfunction()
  add_library(ristretto_cuda STATIC native/cuda/context.cpp native/cuda/context.cu native/cuda/event.cu
    native/cuda/pinned_memory.cu native/cuda/tensor_map.cpp native/cuda/tensor_map.cu)
  ristretto_device_kernels(ristretto_cuda ${cuda_kernels})
  target_compile_definitions(ristretto_cuda PUBLIC RISTRETTO_CUDA)
  if(architectures MATCHES "90a")
    # Code for 9.0a alone has the products of warp groups.
    target_compile_definitions(ristretto_cuda PRIVATE RISTRETTO_CUDA_90A)
  endif()
  target_link_libraries(ristretto_cuda PUBLIC ristretto_core)
  message(STATUS "ristretto: CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${architectures}")
else()
  message(STATUS "ristretto: CPU only: ${ristretto_no_cuda}")
endif()
# The executor's device, which stands in where there are none, tells it.
if(NOT ristretto_no_cuda)
  set(ristretto_no_cuda "they are the executor's, which plays as many GPUs as RISTRETTO_EMULATED_GPU says")
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/no_cuda.h CONTENT
  "#define RISTRETTO_NO_CUDA \"this build has no kernels for GPUs: ${ristretto_no_cuda}\"\n")
target_include_directories(ristretto_cuda_emulated PRIVATE ${CMAKE_BINARY_DIR}/generated)
