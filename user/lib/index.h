/*
 * index.h - the page that shows a visitor every file and every path.
 */
#ifndef FERRY_USER_INDEX_H
#define FERRY_USER_INDEX_H

/* HTML that lists the regular files of a folder. The caller frees it; NULL without memory. */
char *index_page(const char *root);

#endif
