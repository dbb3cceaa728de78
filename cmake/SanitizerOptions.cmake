# ctest reads this before it runs a test of a sanitised build: what a finding does. An environment variable that is
# already set wins. Tests in Python stop the sanitised dare-kms instead of killing it, so that leaks are told.
if(NOT DEFINED ENV{ASAN_OPTIONS})
  set(ENV{ASAN_OPTIONS} detect_stack_use_after_return=1:check_initialization_order=1:strict_string_checks=1)
endif()
if(NOT DEFINED ENV{UBSAN_OPTIONS})
  set(ENV{UBSAN_OPTIONS} print_stacktrace=1)
endif()
if(NOT DEFINED ENV{TSAN_OPTIONS})
  set(ENV{TSAN_OPTIONS}
    halt_on_error=1:second_deadlock_stack=1:history_size=5:suppressions=${CMAKE_CURRENT_LIST_DIR}/tsan.supp)
endif()
set(ENV{DARE_SANITIZED} 1)
