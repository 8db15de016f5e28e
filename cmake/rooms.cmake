# A room is one static library named stella_<room>; sources are listed by name.
function(stella_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(stella_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(stella_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(stella_${name} PUBLIC ${ROOM_LINK})
  add_dependencies(stella_${name} stella_contract)
endfunction()

# One cmocka program: tests/unit/<name>_test.c against the rooms it names.
# LABELS says which part of ./check runs it (default unit; CONTRIBUTING.md lists them; add `threads`
# for what the thread sanitizer shall see too); TIMEOUT is in seconds.
function(stella_unit_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name}_test ${TEST_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE ${TEST_LINK} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name}_test)
  stella_test_properties(${name} "${TEST_LABELS}" "${TEST_TIMEOUT}")
endfunction()

# A test that is a script. It finds the build in STELLA_BUILD, the repository in STELLA_SOURCE, and
# under ./check a PostgreSQL in STELLA_TEST_POSTGRES. A last line "N passed, N failed, N skipped"
# is counted as that many tests.
function(stella_script_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${TEST_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  stella_test_properties(${name} "${TEST_LABELS}" "${TEST_TIMEOUT}")
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "STELLA_BUILD=${CMAKE_BINARY_DIR};STELLA_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()

function(stella_test_properties name labels timeout)
  if(NOT labels)
    set(labels unit)
  endif()
  if(NOT timeout)
    set(timeout 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout})
endfunction()
