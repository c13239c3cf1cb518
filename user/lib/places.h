/*
 * places.h - addresses of this program's own, one of each kind that a page table can show.
 */
#ifndef FERRY_USER_PLACES_H
#define FERRY_USER_PLACES_H

/* What place_of knows, for people: "code|data|...". */
extern const char place_names[];

/* Makes the place if it has to be made. NULL with errno: it could not be, or (EINVAL) there is no
 * such name. */
const void *place_of(const char *name);

#endif
