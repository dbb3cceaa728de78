# The headers that almost every file reads, compiled once instead of some 250 times: it takes a third off the build.
# Files still name every header they use; tools/lint.sh compiles them without this.
set(dare_common_headers
  <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <span> <string> <string_view> <utility> <vector>
  <tl/expected.hpp>)

# A compiler takes a precompiled header only where its own options are the same, so there are two:
# one for the position-independent code of the libraries, and one for the test programs, with GoogleTest.
add_library(dare_precompiled OBJECT ${CMAKE_CURRENT_LIST_DIR}/precompiled.cc)
target_link_libraries(dare_precompiled PRIVATE dare_flags tl::expected)
target_precompile_headers(dare_precompiled PRIVATE ${dare_common_headers})

if(BUILD_TESTING)
  add_executable(dare_test_precompiled ${CMAKE_CURRENT_LIST_DIR}/precompiled.cc)
  target_link_libraries(dare_test_precompiled PRIVATE dare_flags tl::expected GTest::gmock GTest::gtest GTest::gtest_main)
  target_precompile_headers(dare_test_precompiled PRIVATE ${dare_common_headers} <gmock/gmock.h> <gtest/gtest.h>)
endif()
