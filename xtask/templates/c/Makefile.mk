{% include "c/head.txt" %}
# There is nothing to build. To install: make install PREFIX=/usr [DESTDIR=...]

DESTDIR =
PREFIX = /usr/local
includedir = $(PREFIX)/include
datadir = $(PREFIX)/share
pkgconfigdir = $(datadir)/pkgconfig
cmakedir = $(datadir)/cmake/smtp-enhanced-status
INSTALL_DATA = install -m 644

HEADER = $(DESTDIR)$(includedir)/smtp_enhanced_status.h
PC = $(DESTDIR)$(pkgconfigdir)/smtp-enhanced-status.pc
CONFIG = $(DESTDIR)$(cmakedir)/smtp-enhanced-status-config.cmake
VERSION = $(DESTDIR)$(cmakedir)/smtp-enhanced-status-config-version.cmake

all:

# With the default folders, the installed pkg-config and CMake files use paths relative to their prefix.
install:
	@case '$(PREFIX) $(includedir)' in *[\&\|\\]*) \
	    echo 'PREFIX and includedir must not have &, | or a backslash' >&2; exit 1;; esac
	mkdir -p "$(DESTDIR)$(includedir)" "$(DESTDIR)$(pkgconfigdir)" "$(DESTDIR)$(cmakedir)"
	$(INSTALL_DATA) smtp_enhanced_status.h "$(HEADER)"
	$(INSTALL_DATA) smtp-enhanced-status.pc.in "$(PC)"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@INCLUDEDIR@|$(includedir)|' \
	    -e 's|^includedir=$(PREFIX)/|includedir=$${prefix}/|' smtp-enhanced-status.pc.in >"$(PC)"
	$(INSTALL_DATA) smtp-enhanced-status-config.cmake "$(CONFIG)"
	test "$(includedir) $(cmakedir)" = "$(PREFIX)/include $(PREFIX)/share/cmake/smtp-enhanced-status" || \
	    sed 's|"$${CMAKE_CURRENT_LIST_DIR}.*"|"$(includedir)"|' smtp-enhanced-status-config.cmake >"$(CONFIG)"
	$(INSTALL_DATA) smtp-enhanced-status-config-version.cmake "$(VERSION)"

uninstall:
	rm -f "$(HEADER)" "$(PC)" "$(CONFIG)" "$(VERSION)"
	-rmdir "$(DESTDIR)$(cmakedir)"

.PHONY: all install uninstall

