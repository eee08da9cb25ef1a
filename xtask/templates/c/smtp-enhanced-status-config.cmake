{% include "c/head.txt" %}
# find_package(smtp-enhanced-status) defines the target smtp-enhanced-status::smtp-enhanced-status.

# If the folder is not <prefix>/include, `make install` writes its path here.
set(smtp_esc_includedir "${CMAKE_CURRENT_LIST_DIR}/../../../include")
get_filename_component(smtp_esc_includedir "${smtp_esc_includedir}" ABSOLUTE)

if(NOT EXISTS "${smtp_esc_includedir}/smtp_enhanced_status.h")
  set(smtp-enhanced-status_FOUND FALSE)
  set(smtp-enhanced-status_NOT_FOUND_MESSAGE
    "smtp_enhanced_status.h is not in ${smtp_esc_includedir}; install smtp-enhanced-status again")
elseif(NOT TARGET smtp-enhanced-status::smtp-enhanced-status)
  add_library(smtp-enhanced-status::smtp-enhanced-status INTERFACE IMPORTED)
  set_target_properties(smtp-enhanced-status::smtp-enhanced-status PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${smtp_esc_includedir}")
endif()
unset(smtp_esc_includedir)

