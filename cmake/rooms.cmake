# A room is one static library named stella_<room>; sources are listed by name.
function(stella_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINK" ${ARGN})
  add_library(stella_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(stella_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(stella_${name} PUBLIC ${ROOM_LINK})
  add_dependencies(stella_${name} stella_contract)
endfunction()

# One cmocka program: tests/unit/<name>_test.c against the rooms it names.
function(stella_unit_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name}_test ${TEST_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE ${TEST_LINK} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${name}_test)
endfunction()
