# How every target of the project is compiled, and the three words folders use to declare themselves:
#   dare_library(NAME SOURCES ... DEPS ...)        one folder, one static library dare_NAME
#   dare_test(NAME SOURCES ... DEPS ... [SLOW])    one GoogleTest program NAME
#   dare_program(NAME SOURCES ... DEPS ...)        one installed program
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)  # TRY is a GNU statement expression
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(DARE_CCACHE ccache)
if(DARE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What ccache's manual asks for with precompiled headers; without it, it caches no file that uses one. It does look at
  # the times of included files: a header that is edited while it is compiled must not get into the cache. The base
  # folder lets checkouts in other places share what was compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${DARE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${DARE_CCACHE})
endif()

add_library(dare_flags INTERFACE)
target_compile_options(dare_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wno-missing-field-initializers
  -fstack-protector-strong -fno-omit-frame-pointer)
target_include_directories(dare_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/gen ${PROJECT_SOURCE_DIR}/include)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(dare_flags INTERFACE -Wthread-safety)
  # Like -fpch-preprocess: lets ccache work with precompiled headers.
  target_compile_options(dare_flags INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
else()
  target_compile_options(dare_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13 AND CMAKE_BUILD_TYPE MATCHES "Rel")
  # gcc 12, once it has inlined std::string and std::vector, warns of copies of more than 2^63 bytes in code as plain as
  # "a" + std::to_string(i) (gcc bugs 105329, 105651). The asan preset finds what is real.
  target_compile_options(dare_flags INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(DARE_WERROR)
  target_compile_options(dare_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT DARE_SANITIZE AND NOT DARE_FUZZ)
  target_compile_definitions(dare_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
if(DARE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
elseif(DARE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
if(DARE_FUZZ)
  # Everything is instrumented; fuzz/ adds the libFuzzer main to its programs.
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()
if(DARE_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
add_link_options(-Wl,-z,relro,-z,now)

function(dare_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(dare_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(dare_${name} PUBLIC dare_flags ${ARG_DEPS})
  target_precompile_headers(dare_${name} REUSE_FROM dare_precompiled)
endfunction()

function(dare_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "SLOW" "SLOW_TESTS" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  # Only sources that name them get the folders, so that the others compile the same in every checkout (ccache).
  foreach(source IN LISTS ARG_SOURCES)
    file(STRINGS ${source} uses REGEX "DARE_(SOURCE|SHARED)_DIR" LIMIT_COUNT 1)
    if(uses)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS
        DARE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" DARE_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
    endif()
  endforeach()
  target_precompile_headers(${name} REUSE_FROM dare_test_precompiled)
  if(ARG_SLOW)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS slow TIMEOUT 900)
  elseif(ARG_SLOW_TESTS)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_FILTER "-${ARG_SLOW_TESTS}" PROPERTIES TIMEOUT 120)
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST TEST_FILTER "${ARG_SLOW_TESTS}"
      PROPERTIES LABELS slow TIMEOUT 900)
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 120)
  endif()
endfunction()

function(dare_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
