# Installs libristretto into an empty folder, builds examples/c against it with find_package, and runs that.
cmake_minimum_required(VERSION 3.20)
set(work ${BUILD}/c-example)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " line)
    message(FATAL_ERROR "failed (${status}): ${line}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run(${CMAKE_COMMAND} -S ${SOURCE}/examples/c -B ${work}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
  -DCMAKE_C_COMPILER=${C_COMPILER})
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/convolution)

# The library exports the interface and nothing else.
find_program(nm nm)
if(nm AND CMAKE_HOST_SYSTEM_NAME STREQUAL Linux)
  file(GLOB_RECURSE library ${prefix}/${LIBRARY})
  execute_process(COMMAND ${nm} --dynamic --defined-only --format=just-symbols ${library}
    OUTPUT_VARIABLE symbols RESULT_VARIABLE status)
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  if(NOT status EQUAL 0 OR NOT "ristretto_version" IN_LIST symbols)
    message(FATAL_ERROR "no exported symbols found in '${library}'")
  endif()
  list(FILTER symbols EXCLUDE REGEX "^ristretto_")
  if(symbols)
    message(FATAL_ERROR "exported without being of the interface: ${symbols}")
  endif()
endif()
